/** All that the page may import of the measurement. The modules behind these signatures follow. */
import type {
  CsvRow,
  Ellipse,
  Frame,
  Grey,
  Measurement,
  NetworkMetadata,
  OrtModule,
  PictureDecoder,
  Prediction,
  Spacing,
} from "./types";

export { InputError } from "./errors";
export type * from "./types";

/**
 * Reads a PNG, JPEG or DICOM file (uncompressed, or baseline JPEG), known by its first bytes.
 * PNG is decoded here, exactly; `decode` is asked for JPEG alone.
 * @throws InputError one sentence why it cannot be read.
 */
export declare function readFrame(name: string, bytes: Uint8Array, decode: PictureDecoder): Promise<Frame>;

/** The exported network, ready to look at images. */
export declare class Network {
  /** @throws InputError the model is damaged, or not of this program. */
  static load(model: Uint8Array, runtime: OrtModule): Promise<Network>;
  readonly metadata: NetworkMetadata;
  predict(image: Grey): Promise<Prediction>;
}

/** Turns what was found in pixels into millimetres; `given` goes before what the file says of itself. */
export declare function measure(
  prediction: Prediction,
  frame: Frame,
  given: Spacing | null,
  metadata: NetworkMetadata,
): Measurement;

/** The measurement of an ellipse that a person drew: its reasons begin with "edited", and it has no interval. */
export declare function measureEdited(
  ellipse: Ellipse,
  frame: Frame,
  given: Spacing | null,
  metadata: NetworkMetadata,
): Measurement;

/** The row of a file that could not be read. */
export declare function unread(reason: string): Measurement;

/** The table as CSV, with the columns of `predictions.csv`; nothing in it is taken for a formula. */
export declare function csvOf(rows: readonly CsvRow[]): string;

/** An age in weeks and days, to the nearest day: `21 w 3 d`; `out of range` for null. */
export declare function ageText(weeks: number | null): string;

/** The circumference of an ellipse, px. */
export declare function circumference(ellipse: Ellipse): number;

/** `count` points on the ellipse, x and y by turns, px. */
export declare function pointsOf(ellipse: Ellipse, count: number): Float64Array;

/** The ellipse in its normal form: the long axis first, the angle in (-pi/2, pi/2]. */
export declare function normalEllipse(
  centerX: number,
  centerY: number,
  semiAxisA: number,
  semiAxisB: number,
  angle: number,
): Ellipse;
