/** What was measured in the image that is shown, in words and numbers. */
import { ageText, EDITED } from "../../core/index";
import type { Item } from "../item";
import { EditedMark, FlagMark } from "./Flag";
import { circumferenceText, intervalText, millimetres } from "./texts";

export function Numbers({ item, onPlace, onUndo }: { item: Item; onPlace: (() => void) | null; onUndo: () => void }) {
  const { measurement } = item;
  if (!measurement) {
    return <p class="quiet">{item.state === "measuring" ? "This image is being measured." : "This image waits to be measured."}</p>;
  }
  const { flag, hcMm, hcPx } = measurement;
  const reasons = measurement.reasons.filter((reason) => reason !== EDITED); // it has a mark of its own
  const interval = intervalText(measurement);
  return (
    <section aria-label="Measurements">
      <h2 class="name">{item.name}</h2>
      <p class="flags"><FlagMark flag={flag} />{item.edited && <EditedMark />}</p>
      {reasons.length > 0 && <ul class="reasons">{reasons.map((reason) => <li key={reason}>{reason}</li>)}</ul>}
      {hcPx !== null && (
        <dl class="numbers">
          <div class="first">
            <dt>Head circumference</dt>
            <dd><output id="circumference">{circumferenceText(measurement)}</output></dd>
            {interval && <dd class="quiet">90 % interval {interval} mm</dd>}
          </div>
          {hcMm !== null && (
            <>
              <div><dt><abbr title="Biparietal diameter, outer to outer: the short axis">BPD</abbr></dt><dd>{millimetres(measurement.bpdMm)}</dd></div>
              <div><dt><abbr title="Occipitofrontal diameter, outer to outer: the long axis">OFD</abbr></dt><dd>{millimetres(measurement.ofdMm)}</dd></div>
              <div><dt>Age, INTERGROWTH-21st</dt><dd>{ageText(measurement.gaIntergrowthWeeks)}</dd></div>
              <div><dt>Age, Hadlock</dt><dd>{ageText(measurement.gaHadlockWeeks)}</dd></div>
            </>
          )}
        </dl>
      )}
      {item.edited ? (
        <button type="button" id="undo" onClick={onUndo}>Back to the network’s ellipse</button>
      ) : item.finding && !measurement.ellipse && onPlace ? (
        <button type="button" id="place" onClick={onPlace}>Place an ellipse by hand</button>
      ) : null}
    </section>
  );
}
