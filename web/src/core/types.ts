/** What the measurement ("core") and the page ("app") tell each other. */
import type { InferenceSession, Tensor } from "onnxruntime-web";

/** A grey image: one byte a pixel, row by row. */
export interface Grey {
  readonly data: Uint8Array;
  readonly width: number;
  readonly height: number;
}

/** The size of a pixel, mm, and where it is from: `given`, `dicom region`, `dicom spacing` and the like. */
export interface Spacing {
  readonly xMm: number;
  readonly yMm: number;
  readonly source: string;
  /** Whether the file contradicts itself about it. */
  readonly isDoubtful?: boolean;
}

/**
 * An ellipse in pixels of the image: pixel centres have whole-number coordinates, x to the right and y down.
 * `semiAxisA >= semiAxisB > 0`; `angle` is that of the long axis, from +x towards +y, in (-pi/2, pi/2].
 */
export interface Ellipse {
  readonly centerX: number;
  readonly centerY: number;
  readonly semiAxisA: number;
  readonly semiAxisB: number;
  readonly angle: number;
}

/** What became of an image: measured; measured, but to be looked at; nothing like a head in it; not readable. */
export type Flag = "ok" | "check" | "no head" | "error";

/** A file that was read. */
export interface Frame {
  readonly name: string;
  readonly image: Grey;
  /** The size of a pixel wherever no region of the file says otherwise; null where the file does not tell it. */
  readonly spacing: Spacing | null;
  /** What is to be known of the file, each a short phrase. */
  readonly notes: readonly string[];
  /** The size of a pixel at a point of the image, px: regions of DICOM files have sizes of their own. */
  spacingAt(x: number, y: number): Spacing | null;
}

/** What tells good measurements from bad ones. */
export interface Quality {
  /** Mean probability in the region that was found, 0.5 to 1. */
  readonly confidence: number;
  /** Dice of mask and ellipse, 0 to 1. */
  readonly agreement: number;
  /** Part of the ellipse outside the frame, 0 to 1. */
  readonly cut: number;
  /** Range of the grey values about the head, 0 to 255. */
  readonly contrast: number;
  /** How unlike the known heads it looks, 1 at the most unlike of these; null where unknown. */
  readonly novelty: number | null;
  /** That it is a fetal head in a standard plane, 0 to 1; null where the network cannot tell. */
  readonly headProbability: number | null;
  /** Whether it was found only when the picture was turned by a quarter. */
  readonly turned: boolean;
}

/** What the network and the fit say of an image, before pixels become millimetres. */
export interface Prediction {
  readonly ellipse: Ellipse | null;
  /** Of the head, or of what was found instead; null where that is nothing. */
  readonly quality: Quality | null;
}

/** What was measured in one image. For research use, not a medical device. */
export interface Measurement {
  readonly flag: Flag;
  readonly reasons: readonly string[];
  readonly ellipse: Ellipse | null;
  readonly spacing: Spacing | null;
  readonly widthPx: number;
  readonly heightPx: number;
  readonly confidence: number | null;
  readonly headProbability: number | null;
  readonly hcPx: number | null;
  readonly hcMm: number | null;
  /** Ends of the interval that holds 90 % of the truths. */
  readonly hcLowMm: number | null;
  readonly hcHighMm: number | null;
  readonly bpdMm: number | null;
  readonly ofdMm: number | null;
  readonly areaMm2: number | null;
  readonly cephalicIndexPercent: number | null;
  /** Ages from the circumference; null without one, or out of the range of the formula. */
  readonly gaIntergrowthWeeks: number | null;
  readonly gaHadlockWeeks: number | null;
}

/** What a confidence, or a probability, means: what has less is to be looked at, or is no head. */
export interface Limits {
  readonly reviewBelow: number;
  readonly rejectBelow: number;
}

/** What intervals are made of: scaled errors of held-out images in ascending order, and their circumferences. */
export interface IntervalScores {
  readonly scale: string;
  readonly scores: readonly number[];
  readonly hcMm: readonly number[];
}

/** How known heads look: mean and precision of their features, and the largest distance from the mean. */
export interface AppearanceModel {
  readonly mean: readonly number[];
  readonly precision: readonly (readonly number[])[];
  readonly largest: number;
}

/** A logistic regression that tells heads from other planes. */
export interface HeadGate {
  readonly pooling: string;
  readonly weights: readonly number[];
  readonly bias: number;
  readonly limits: Limits;
}

/** What the exported network says of itself, as far as a measurement needs it. */
export interface NetworkMetadata {
  /** The network's size, px. */
  readonly height: number;
  readonly width: number;
  /** SHA-256 of the checkpoint that was exported. */
  readonly checkpointSha256: string;
  /** Of this package, when the network was trained. */
  readonly version: string;
  readonly interval: IntervalScores | null;
  readonly confidence: Limits | null;
  readonly appearance: AppearanceModel | null;
  readonly gate: HeadGate | null;
}

/** Pixels of a picture as a browser decodes them: RGBA, a byte each, turned as the file says (EXIF). */
export interface Picture {
  readonly data: Uint8ClampedArray;
  readonly width: number;
  readonly height: number;
}

/** Decodes a JPEG (or what else `mime` names); rejects where the bytes are no such picture. */
export type PictureDecoder = (bytes: Uint8Array, mime: string) => Promise<Picture>;

/** What is needed of onnxruntime-web, whichever of its bundles is taken. */
export interface OrtModule {
  readonly InferenceSession: { create(model: Uint8Array): Promise<InferenceSession> };
  readonly Tensor: new (type: "uint8", data: Uint8Array, dims: readonly number[]) => Tensor;
}

/** A row of the table: a file as tables show it, and what was measured in it. */
export interface CsvRow {
  readonly file: string;
  readonly measurement: Measurement;
}
