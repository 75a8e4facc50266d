/** Whether a measurement can be trusted: reasons to look at it, in the words of `fetal_seg/measurement/quality.py`. */
import { quality as LIMITS, range } from "./constants";
import { general, whole } from "./rounding";
import type { Limits, NetworkMetadata, Quality } from "./types";

const UNCALIBRATED: Limits = {
  reviewBelow: LIMITS.UNCALIBRATED.review_below,
  rejectBelow: LIMITS.UNCALIBRATED.reject_below,
};

/** Whether what was found is a head at all, rather than something that is measured and flagged. */
export function isHead(quality: Quality, metadata: NetworkMetadata): boolean {
  const novelty = quality.novelty ?? 0;
  const { reviewBelow, rejectBelow } = metadata.confidence ?? UNCALIBRATED;
  const uncertain = novelty > LIMITS.FOREIGN ? (rejectBelow + reviewBelow) / 2 : rejectBelow;
  const needed = quality.turned ? reviewBelow : uncertain;
  return (
    quality.confidence >= needed && novelty <= LIMITS.UTTERLY_FOREIGN && !isAnotherPlane(quality, metadata)
  );
}

/** Whether the head gate says that it is no head. */
export function isAnotherPlane(quality: Quality, metadata: NetworkMetadata): boolean {
  const { reviewBelow, rejectBelow } = metadata.gate?.limits ?? UNCALIBRATED;
  return quality.headProbability !== null && quality.headProbability < (quality.turned ? reviewBelow : rejectBelow);
}

/** Why the measurement is to be looked at; none where it is good. */
export function qualityReasons(quality: Quality, metadata: NetworkMetadata): string[] {
  const { agreement, confidence, contrast, cut, headProbability, novelty, turned } = quality;
  const ofConfidence = metadata.confidence ?? UNCALIBRATED;
  const ofProbability = metadata.gate?.limits ?? UNCALIBRATED;
  const reasons: string[] = [];
  if (cut > LIMITS.MOST_CUT) reasons.push("the head touches the frame");
  if (agreement < LIMITS.LEAST_AGREEMENT) {
    reasons.push(`ellipse and mask disagree (Dice ${whole(100 * agreement)} %)`);
  }
  if (contrast < LIMITS.LEAST_CONTRAST) reasons.push(`contrast too low (${whole(contrast)} grey values)`);
  if (novelty !== null && novelty > LIMITS.MOST_NOVELTY) reasons.push("the image is unlike the training data");
  if (turned) reasons.push("found only when the picture was turned by a quarter");
  if (headProbability !== null && headProbability < ofProbability.reviewBelow) {
    reasons.push(`may be another plane than the head's (head probability ${whole(100 * headProbability)} %)`);
  }
  if (confidence < ofConfidence.reviewBelow) reasons.push(`the network is unsure (${whole(100 * confidence)} %)`);
  return reasons;
}

/** Why nothing was measured, by what was found instead. */
export function whyNoHead(quality: Quality | null, metadata: NetworkMetadata): string {
  if (quality?.headProbability != null && isAnotherPlane(quality, metadata)) {
    const probability = whole(100 * quality.headProbability);
    return `what was found is not the plane of a head (head probability ${probability} %)`;
  }
  return "no region of the image looks like a head";
}

/** What is odd about a pixel size, mm, and the circumference that it gives, mm. */
export function sizeReasons(xMm: number, yMm: number, hcMm: number): string[] {
  const reasons: string[] = [];
  const [smallest, largest] = range(LIMITS.PIXEL_SIZES_MM);
  if (!(smallest <= xMm && xMm <= largest && smallest <= yMm && yMm <= largest)) {
    const size = xMm === yMm ? general(xMm) : `${general(xMm)} x ${general(yMm)}`;
    reasons.push(
      `a pixel size of ${size} mm is absurd (outside ${general(smallest)} to ${general(largest)} mm)`,
    );
  }
  const [shortest, longest] = range(LIMITS.CIRCUMFERENCES_MM);
  if (!(shortest <= hcMm && hcMm <= longest)) {
    reasons.push(`no head has a circumference of ${whole(hcMm)} mm; check the pixel size`);
  }
  return reasons;
}
