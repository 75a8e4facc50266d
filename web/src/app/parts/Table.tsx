/** The table of all images, to look through, to copy and to save. */
import { memo } from "preact/compat";
import { useRef, useState } from "preact/hooks";
import { ageText } from "../../core/index";
import type { Item } from "../item";
import { copyText, saveText, tabSeparated, tableOf } from "../saving";
import type { Session } from "../session";
import { EditedMark, FlagMark } from "./Flag";
import { OutlineOnly } from "./Outline";
import { circumferenceText, intervalText, millimetres } from "./texts";

const HEADINGS = ["Image", "Flag", "HC (90 % interval)", "BPD", "OFD", "INTERGROWTH-21st", "Hadlock", "Reasons"];

export function Table({ session }: { session: Session }) {
  const rows = useRef<HTMLTableSectionElement>(null);
  const move = (event: KeyboardEvent) => {
    const step = { ArrowDown: 1, ArrowUp: -1 }[event.key];
    const index = session.items.findIndex((item) => item.id === session.selectedId);
    const next = step && session.items[index + step];
    if (!next) return;
    event.preventDefault();
    session.select(next.id);
    rows.current!.rows[index + step]!.querySelector("button")!.focus();
  };
  return (
    <section class="table" aria-labelledby="all-images">
      <div class="bar">
        <h2 id="all-images">{session.items.length === 1 ? "1 image" : `${session.items.length} images`}</h2>
        <Export session={session} />
      </div>
      <div class="scroll">
        <table>
          <thead><tr>{HEADINGS.map((heading) => <th scope="col" key={heading}>{heading}</th>)}</tr></thead>
          <tbody ref={rows} onKeyDown={move}>
            {session.items.map((item) => (
              <Row key={item.id} item={item} isSelected={item.id === session.selectedId} session={session} />
            ))}
          </tbody>
        </table>
      </div>
    </section>
  );
}

const Row = memo(({ item, isSelected, session }: { item: Item; isSelected: boolean; session: Session }) => {
  const show = () => {
    session.select(item.id);
    document.querySelector(".shown")?.scrollIntoView({ block: "nearest" }); // on a phone it may be far above
  };
  const { measurement } = item;
  const interval = measurement && intervalText(measurement);
  return (
    <tr class={isSelected ? "selected" : ""} onClick={show}>
      <th scope="row">
        <button type="button" aria-current={isSelected} tabIndex={isSelected ? 0 : -1}>
          <Thumbnail item={item} /><span>{item.name}</span>
        </button>
      </th>
      {measurement ? (
        <>
          <td class="flags"><FlagMark flag={measurement.flag} />{item.edited && <EditedMark />}</td>
          <td class="n" data-label="HC">{measurement.hcPx !== null && <b>{circumferenceText(measurement)}</b>}{interval && <span class="quiet"> ({interval})</span>}</td>
          <td class="n" data-label="BPD">{millimetres(measurement.bpdMm)}</td>
          <td class="n" data-label="OFD">{millimetres(measurement.ofdMm)}</td>
          <td data-label="INTERGROWTH">{measurement.hcMm !== null && ageText(measurement.gaIntergrowthWeeks)}</td>
          <td data-label="Hadlock">{measurement.hcMm !== null && ageText(measurement.gaHadlockWeeks)}</td>
          <td class="why">{measurement.reasons.join("; ")}</td>
        </>
      ) : (
        <td colSpan={7} class="quiet">{item.state === "measuring" ? "being measured" : "not measured yet"}</td>
      )}
    </tr>
  );
}, (before, after) => before.item === after.item && before.isSelected === after.isSelected);

function Thumbnail({ item: { finding, measurement } }: { item: Item }) {
  if (!finding) return <span class="thumbnail" />;
  const { width, height } = finding.facts;
  return (
    <span class="thumbnail">
      <img src={finding.thumbnail} alt="" />
      {measurement?.ellipse && <OutlineOnly ellipse={measurement.ellipse} width={width} height={height} />}
    </span>
  );
}

function Export({ session }: { session: Session }) {
  const [told, setTold] = useState("");
  const isEmpty = session.doneCount === 0;
  const tell = (text: string) => {
    setTold(text);
    session.announce(text);
  };
  const copy = () =>
    copyText(tabSeparated(tableOf(session.items))).then(
      () => tell("Copied: paste it into a spreadsheet."),
      () => tell("The browser does not allow copying; save the table as CSV."),
    );
  const save = () => {
    saveText(tableOf(session.items), "predictions.csv");
    tell("Saved as predictions.csv.");
  };
  return (
    <div class="buttons">
      <span class="quiet">{told}</span>
      <button type="button" id="copy" disabled={isEmpty} onClick={() => void copy()}>Copy table</button>
      <button type="button" id="save" disabled={isEmpty} onClick={save}>Save as CSV</button>
      <button type="button" id="clear" onClick={() => session.clear()}>Remove all</button>
    </div>
  );
}
