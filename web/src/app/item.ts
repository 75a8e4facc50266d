/** One file of the table, and what is measured in it as things stand. */
import { type Ellipse, type Frame, type Measurement, measure, measureEdited, type NetworkMetadata, type Prediction, type Spacing, unread } from "../core/index";
import type { ReadFacts } from "./messages";

/** What the worker found in a file. */
export interface Finding {
  readonly facts: ReadFacts;
  readonly prediction: Prediction;
  /** With the file's own pixel size. */
  readonly measurement: Measurement;
  /** The address of a small picture. */
  readonly thumbnail: string;
}

/** A file of the table; never changed, but replaced. */
export interface Item {
  readonly id: number;
  readonly name: string;
  readonly file: File;
  readonly state: "waiting" | "measuring" | "done";
  /** Null before it is measured, and where it cannot be read. */
  readonly finding: Finding | null;
  /** A pixel size that a person gave for this image; goes before the file's own. */
  readonly given: Spacing | null;
  /** A pixel size that a person gave for all images; for those whose file has none. */
  readonly givenForAll: Spacing | null;
  /** The ellipse that a person drew. */
  readonly edited: Ellipse | null;
  /** As things stand; null before it is measured. */
  readonly measurement: Measurement | null;
}

/** A file that waits. */
export function waiting(id: number, name: string, file: File): Item {
  const unknown = { finding: null, given: null, givenForAll: null, edited: null, measurement: null };
  return { id, name, file, state: "waiting", ...unknown };
}

/** A file that cannot be read. */
export function unreadable(item: Item, reason: string): Item {
  return { ...item, state: "done", measurement: unread(reason) };
}

/** The pixel size that a person gave and that counts, if any. */
export function givenSpacing(item: Item): Spacing | null {
  return item.given ?? (item.finding?.measurement.spacing ? null : item.givenForAll);
}

/**
 * The item with its measurement as things stand.
 * @param frame the opened file, by which an edited ellipse finds the pixel size of its place; null where it is not open.
 */
export function remeasured(item: Item, metadata: NetworkMetadata, frame: Frame | null): Item {
  const { finding, edited } = item;
  if (!finding) return item;
  const given = givenSpacing(item);
  const place = frame ?? frameOf(item.name, finding);
  if (edited) return { ...item, measurement: measureEdited(edited, place, given) };
  return { ...item, measurement: given ? measure(finding.prediction, place, given, metadata) : finding.measurement };
}

/** The file without its pixels; its size of pixels is that at the head that was found. */
function frameOf(name: string, { facts, measurement }: Finding): Frame {
  const image = { data: new Uint8Array(0), width: facts.width, height: facts.height };
  return { name, image, spacing: facts.spacing, notes: facts.notes, spacingAt: () => measurement.spacing };
}
