/** The pixel size that a person gives: typed, or by a known length between two points of the image's ruler. */
import type { Spacing } from "../core/index";
import type { Point } from "./editing";

/** What became of what was typed: a number, or a sentence why it cannot be used. */
export type Entry = { readonly value: number } | { readonly problem: string };

/** A positive number as people type it: with a point or a comma. */
export function positiveNumber(text: string, name: string): Entry {
  const value = Number(text.trim().replace(",", "."));
  if (text.trim() === "" || !Number.isFinite(value) || value <= 0) {
    return { problem: `${name} must be a number above 0, such as 0.12; correct it` };
  }
  return { value };
}

/** The side of a pixel, mm, by a length between two points. */
export function pixelSize(from: Point, to: Point, lengthMm: number): Entry {
  const lengthPx = distance(from, to);
  if (lengthPx < 1) return { problem: "the two points are the same; set them on two marks of the ruler" };
  return { value: lengthMm / lengthPx };
}

/** The distance of two points, px. */
export function distance(from: Point, to: Point): number {
  return Math.hypot(to.x - from.x, to.y - from.y);
}

/** Square pixels of a size that a person gave, in the words of `predict.py`. */
export function givenSpacing(mm: number): Spacing {
  return { xMm: mm, yMm: mm, source: "given" };
}
