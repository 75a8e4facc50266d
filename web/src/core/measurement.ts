/** What was measured in one image, with its units, and whether it can be trusted: `fetal_seg/measurement/result.py`. */
import { type Biometry, biometryOf } from "./biometry";
import { halfWidth, isLargeErrorLikely } from "./conformal";
import { circumference, normalEllipse, scaled } from "./ellipse";
import { isHead, qualityReasons, sizeReasons, whyNoHead } from "./quality";
import { general } from "./rounding";
import type { Ellipse, Frame, Measurement, NetworkMetadata, Prediction, Spacing } from "./types";

export const EDITED = "edited";
const UNKNOWN_SIZE = "pixel size unknown: results in pixels";

const NOTHING: Measurement = {
  flag: "no head",
  reasons: [],
  ellipse: null,
  spacing: null,
  widthPx: 0,
  heightPx: 0,
  confidence: null,
  headProbability: null,
  hcPx: null,
  hcMm: null,
  hcLowMm: null,
  hcHighMm: null,
  bpdMm: null,
  ofdMm: null,
  areaMm2: null,
  cephalicIndexPercent: null,
  gaIntergrowthWeeks: null,
  gaHadlockWeeks: null,
};

/** Turns what was found in pixels into millimetres; `given` goes before what the file says of itself. */
export function measure(
  prediction: Prediction,
  frame: Frame,
  given: Spacing | null,
  metadata: NetworkMetadata,
): Measurement {
  const { ellipse, quality } = prediction;
  const { spacing, notes } = spacingOf(frame, ellipse, given);
  const common = { ...sizeOf(frame), headProbability: quality?.headProbability ?? null };
  if (ellipse === null) {
    return { ...NOTHING, ...common, spacing, reasons: [whyNoHead(quality, metadata), ...notes] };
  }
  const confidence = quality?.confidence ?? null;
  const measured = inMillimetres(ellipse, spacing, quality === null ? [] : qualityReasons(quality, metadata), notes, (hcMm) =>
    metadata.interval !== null && confidence !== null && isLargeErrorLikely(metadata.interval, hcMm, confidence),
  );
  const width =
    metadata.interval === null || confidence === null || measured.hcMm === null
      ? null
      : halfWidth(metadata.interval, measured.hcMm, confidence);
  if (width === null || measured.hcMm === null) return { ...measured, ...common, confidence };
  const interval = { hcLowMm: Math.max(measured.hcMm - width, 0), hcHighMm: measured.hcMm + width };
  return { ...measured, ...common, confidence, ...interval };
}

/**
 * The measurement of an ellipse that a person drew or moved: its reasons begin with "edited". What the network and
 * its calibration say is of another ellipse: there is neither confidence nor interval.
 */
export function measureEdited(ellipse: Ellipse, frame: Frame, given: Spacing | null): Measurement {
  const { spacing, notes } = spacingOf(frame, ellipse, given);
  const measured = inMillimetres(ellipse, spacing, [], notes);
  return { ...measured, ...sizeOf(frame), reasons: [EDITED, ...measured.reasons] };
}

/** The row of a file that could not be read, and why. */
export function unread(reason: string): Measurement {
  return { ...NOTHING, flag: "error", reasons: [reason] };
}

/** What was found in a picture that was turned by a quarter against the clock, in it as it was, of `width` px. */
export function turnedBack(prediction: Prediction, width: number, metadata: NetworkMetadata): Prediction {
  const quality = prediction.quality && { ...prediction.quality, turned: true };
  if (prediction.ellipse === null || quality === null || !isHead(quality, metadata)) return { ellipse: null, quality };
  const { centerX, centerY, semiAxisA, semiAxisB, angle } = prediction.ellipse;
  const turned = normalEllipse(width - 1 - centerY, centerX, semiAxisA, semiAxisB, angle + Math.PI / 2);
  return { ellipse: turned, quality };
}

/** An ellipse in mm, where the size of a pixel is known, with what is doubtful about that size. */
function inMillimetres(
  ellipse: Ellipse,
  spacing: Spacing | null,
  doubts: readonly string[],
  notes: readonly string[],
  isErrorLikely: (hcMm: number) => boolean = () => false,
): Measurement {
  const common = { ...NOTHING, ellipse, spacing, hcPx: circumference(ellipse) };
  if (spacing === null) {
    return { ...common, flag: doubts.length > 0 ? "check" : "ok", reasons: [...doubts, UNKNOWN_SIZE, ...notes] };
  }
  const biometry: Biometry = biometryOf(scaled(ellipse, spacing.xMm, spacing.yMm));
  const all = [
    ...doubts,
    ...(spacing.isDoubtful ? ["the file's pixel size is in doubt"] : []),
    ...sizeReasons(spacing.xMm, spacing.yMm, biometry.hcMm),
    ...(isErrorLikely(biometry.hcMm) ? ["a large error is likely"] : []),
  ];
  return { ...common, ...biometry, flag: all.length > 0 ? "check" : "ok", reasons: [...all, ...notes] };
}

/** The size of a pixel where the head is, and what is to be known of the file. */
function spacingOf(
  frame: Frame,
  ellipse: Ellipse | null,
  given: Spacing | null,
): { spacing: Spacing | null; notes: readonly string[] } {
  const stated = ellipse === null ? frame.spacing : frame.spacingAt(ellipse.centerX, ellipse.centerY);
  if (given === null) return { spacing: stated, notes: frame.notes };
  const differs = stated !== null && Math.abs(stated.xMm / given.xMm - 1) > 0.01;
  const note = differs ? [`the file itself says ${general(stated.xMm, 4)} mm a pixel`] : [];
  return { spacing: given, notes: [...frame.notes, ...note] };
}

function sizeOf(frame: Frame): { widthPx: number; heightPx: number } {
  return { widthPx: frame.image.width, heightPx: frame.image.height };
}
