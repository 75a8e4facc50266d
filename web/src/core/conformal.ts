/** Intervals that hold a stated part of the truths: `fetal_seg/measurement/conformal.py`. */
import { trimester } from "./biometry";
import { conformal as VALUES } from "./constants";
import type { IntervalScores } from "./types";

/** Half the width, mm, of the interval about a circumference; null where too few heads were held out for one. */
export function halfWidth(heldOut: IntervalScores, hcMm: number, confidence: number): number | null {
  const alike = heldOut.scale === VALUES.SCALE ? alikeScores(heldOut, hcMm) : [];
  const rank = Math.ceil((alike.length + 1) * VALUES.LEVEL - 1e-9); // 10 * 0.9 is not 9 exactly
  const score = alike[rank - 1];
  return score === undefined ? null : score * scale(hcMm, confidence);
}

/** Whether a measurement is one of those that hold most of the error, and is to be looked at. */
export function isLargeErrorLikely(heldOut: IntervalScores, hcMm: number, confidence: number): boolean {
  const limit = heldOut.scale === VALUES.SCALE ? heldOut.reviewAbove : null;
  return limit !== null && scale(hcMm, confidence) > limit;
}

/** The scores of the heads of one's trimester, or of all where there are fewer than `FEWEST` of these. */
function alikeScores(heldOut: IntervalScores, hcMm: number): readonly number[] {
  const own = heldOut.scores.filter((_, index) => {
    const other = heldOut.hcMm[index];
    return other !== undefined && trimester(other) === trimester(hcMm);
  });
  return own.length >= VALUES.FEWEST ? own : heldOut.scores;
}

/** How large an error is expected to be: as the network's doubt, and a little larger for larger heads. */
function scale(hcMm: number, confidence: number): number {
  return (1 - Math.min(confidence, VALUES.SUREST)) * Math.sqrt(hcMm / VALUES.REFERENCE_MM);
}
