/** What the page and its worker tell each other. */
import type { Measurement, NetworkMetadata, Prediction, Spacing } from "../core/index";

/** To the worker. `load` comes first and once; both texts are base64 of gzipped bytes. */
export type Order =
  | { readonly kind: "load"; readonly network: string; readonly runtime: string }
  | { readonly kind: "measure"; readonly id: number; readonly name: string; readonly file: File };

/** What the page keeps of a file that was read: all but its pixels. */
export interface ReadFacts {
  readonly width: number;
  readonly height: number;
  readonly spacing: Spacing | null;
  readonly notes: readonly string[];
}

/** From the worker. */
export type Answer =
  | { readonly kind: "ready"; readonly metadata: NetworkMetadata }
  | { readonly kind: "unusable"; readonly reason: string }
  | {
      readonly kind: "measured";
      readonly id: number;
      readonly facts: ReadFacts;
      readonly prediction: Prediction;
      readonly measurement: Measurement;
      /** A small picture of the image. */
      readonly thumbnail: Blob;
    }
  | { readonly kind: "unreadable"; readonly id: number; readonly reason: string };
