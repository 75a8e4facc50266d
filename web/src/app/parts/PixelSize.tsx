/** The size of a pixel: where it is from, and how a person sets it, typed or with the image's ruler. */
import { useState } from "preact/hooks";
import { type Entry, distance, givenSpacing, pixelSize, positiveNumber } from "../calibrating";
import { givenSpacing as givenTo, type Item } from "../item";
import type { Session } from "../session";
import type { Marks } from "./Shown";

interface Properties {
  readonly item: Item;
  readonly session: Session;
  readonly marks: Marks | null;
  readonly onMarks: (marks: Marks | null) => void;
}

export function PixelSize({ item, session, marks, onMarks }: Properties) {
  const spacing = item.measurement?.spacing ?? null;
  const [isOpen, setOpen] = useState(spacing === null);
  const [length, setLength] = useState("");
  const [typed, setTyped] = useState("");
  const [problem, setProblem] = useState<string | null>(null);
  const entry = marks?.length === 2 ? byRuler(marks, length) : positiveNumber(typed, "the pixel size in mm");
  const use = (apply: (mm: number) => void) => (event: Event) => {
    event.preventDefault();
    if ("problem" in entry) {
      setProblem(entry.problem);
      return;
    }
    apply(entry.value);
    setProblem(null);
    setOpen(false);
    onMarks(null);
  };
  const forThis = use((mm) => {
    session.setSpacing(item.id, givenSpacing(mm));
    session.announce(`Pixel size ${mm.toPrecision(4)} mm set for this image.`);
  });
  const forAll = use((mm) => {
    session.setSpacingForAll(givenSpacing(mm));
    session.announce(`Pixel size ${mm.toPrecision(4)} mm set for all images without one of their own.`);
  });
  const isMany = session.items.length > 1;
  return (
    <section class="pixel-size" aria-labelledby="pixel-size">
      <h3 id="pixel-size">Pixel size</h3>
      <p>
        {spacing ? <SizeText {...spacing} /> : <strong>unknown: results are in pixels</strong>}{" "}
        {!isOpen && <button type="button" class="link" onClick={() => setOpen(true)}>{spacing ? "change" : "set"}</button>}{" "}
        {givenTo(item) && <button type="button" class="link" onClick={() => session.undoSpacing(item.id)}>take back</button>}
      </p>
      {isOpen && (
        <form onSubmit={forThis}>
          <Ruler marks={marks} onMarks={onMarks} length={length} onLength={setLength} />
          {marks?.length !== 2 && (
            <label>
              or type it: side of a pixel, mm
              <input id="pixel-size-mm" inputMode="decimal" autocomplete="off" value={typed} onInput={(event) => setTyped(event.currentTarget.value)} />
            </label>
          )}
          {problem && <p class="problem" role="alert">{problem}</p>}
          <div class="buttons">
            <button type="submit" class="main" id="use-this">Use for this image</button>
            {isMany && <button type="button" id="use-all" onClick={forAll}>Use for all images</button>}
          </div>
          {isMany && <p class="quiet">Images whose file tells a pixel size keep it.</p>}
        </form>
      )}
    </section>
  );
}

function Ruler({ marks, onMarks, length, onLength }: Pick<Properties, "marks" | "onMarks"> & { length: string; onLength: (text: string) => void }) {
  if (!marks) {
    return <button type="button" id="ruler" onClick={() => onMarks([])}>Use the ruler in the image</button>;
  }
  return (
    <>
      {marks.length < 2 ? (
        <p class="hint">
          <strong>{marks.length === 0 ? "Click a mark of the image’s ruler" : "Now click another mark"}</strong>{" "}
          <span class="quiet">or move the cross with the arrow keys and press Enter.</span>
        </p>
      ) : (
        <label>
          Length between the two points ({distance(marks[0]!, marks[1]!).toFixed(1)} px), mm
          <input id="length-mm" inputMode="decimal" autocomplete="off" autofocus value={length} onInput={(event) => onLength(event.currentTarget.value)} />
        </label>
      )}
      <button type="button" class="link" onClick={() => onMarks(null)}>Leave the ruler</button>
    </>
  );
}

function byRuler(marks: Marks, length: string): Entry {
  const known = positiveNumber(length, "the length in mm");
  return "problem" in known ? known : pixelSize(marks[0]!, marks[1]!, known.value);
}

function SizeText({ xMm, yMm, source }: { xMm: number; yMm: number; source: string }) {
  const isSquare = Math.abs(xMm - yMm) <= 1e-4 * xMm;
  const short = (mm: number) => String(Number(mm.toPrecision(4)));
  return <>{isSquare ? short(xMm) : `${short(xMm)} × ${short(yMm)}`} mm <span class="quiet">({source})</span></>;
}
