/**
 * From a map of the head (logits) to its ellipse, with sub-pixel accuracy: the algorithm of
 * `fetal_seg/geometry/ellipse_fit.py`, whose values it takes.
 */
import { ellipse_fit as LIMITS } from "./constants";
import { levelLines, type Line } from "./contour";
import { fitEllipse, pointsOf, rasterised, signedDistance, transformed } from "./ellipse";
import type { AxisMap } from "./letterbox";
import { countInside, filled, type Mask } from "./mask";
import type { Ellipse } from "./types";

/** The ellipse of a region in pixels of the original image, and how well the two agree. */
export interface HeadFit {
  readonly ellipse: Ellipse;
  /** Dice of the region (holes filled) and the ellipse, on the map's grid, 0 to 1. */
  readonly agreement: number;
  /** Which part of the ellipse lies outside the frame or on it, 0 to 1. */
  readonly cut: number;
  /** On the map's grid, holes filled. */
  readonly region: Mask;
}

interface Frame {
  readonly left: number;
  readonly top: number;
  readonly right: number;
  readonly bottom: number;
}

/**
 * The plausible region of a map of logits whose values are the surest, as an ellipse; null where there is none.
 * Plausible is what an ellipse of a head's proportions fits. Of several the largest competes with those of at least
 * `RIVAL` of its area: the one with the higher values inside is taken.
 * @param toNative from pixels of the map (width, height) to those of the original image (nativeWidth, nativeHeight).
 */
export function fitHead(
  logits: Float32Array,
  width: number,
  height: number,
  toNative: AxisMap,
  nativeWidth: number,
  nativeHeight: number,
): HeadFit | null {
  const frame = { left: -0.5, top: -0.5, right: nativeWidth - 0.5, bottom: nativeHeight - 0.5 };
  const lines = levelLines(logits, width, height, 0).map((line) => ({ line, area: enclosedArea(line) }));
  lines.sort((one, other) => other.area - one.area);
  const found: HeadFit[] = [];
  let largest = 0;
  for (const { line, area } of lines) {
    if (line.length < 10 || area < Math.max(LIMITS.SMALLEST_AREA, LIMITS.RIVAL * largest)) break;
    const fit = fitRegion(line, width, height, toNative, frame);
    if (fit === null) continue;
    largest = largest || area;
    found.push(fit);
  }
  if (found.length < 2) return found[0] ?? null;
  const certainties = found.map(({ region }) => meanProbability(logits, region));
  return found[certainties.indexOf(Math.max(...certainties))]!;
}

/** The mean probability of logits in a region; 0 where it is empty. */
export function meanProbability(logits: Float32Array, region: Mask): number {
  let [sum, count] = [0, 0];
  region.data.forEach((inside, index) => {
    if (inside === 0) return;
    sum += 1 / (1 + Math.exp(-logits[index]!));
    count += 1;
  });
  return count === 0 ? 0 : sum / count;
}

/** What a level line of a map encloses, as an ellipse; null where it is not plausible. */
function fitRegion(line: Line, width: number, height: number, toNative: AxisMap, frame: Frame): HeadFit | null {
  const scale = Math.sqrt(toNative.scaleX * toNative.scaleY);
  const native = line.map((value, index) =>
    index % 2 === 0 ? toNative.scaleX * value + toNative.shiftX : toNative.scaleY * value + toNative.shiftY,
  );
  const free = chosen(native, (x, y) => isInside(x, y, frame, 1.25 * scale)); // not where the frame cuts the head
  const ellipse = robustEllipse(free.length >= 10 ? free : native, 0.25 * scale);
  if (ellipse === null) return null;
  const proportion = ellipse.semiAxisB / ellipse.semiAxisA;
  if (!(LIMITS.FLATTEST <= proportion && proportion <= LIMITS.ROUNDEST)) return null;
  const region = filled(line, width, height);
  const agreement = agreementOf(region, ellipse, toNative);
  if (agreement < LIMITS.PLAUSIBLE_AGREEMENT) return null;
  const outline = pointsOf(ellipse, 360);
  const within = chosen(outline, (x, y) => isInside(x, y, frame, 0.5 * scale));
  return { ellipse, agreement, cut: 1 - within.length / outline.length, region };
}

/**
 * The ellipse that most of the points lie on; null where none fits. Points farther than `FARTHEST` robust deviations
 * from the last fit are left out of the next, as long as two thirds remain; deviations below `tolerance`, px, are never
 * held against a point.
 */
function robustEllipse(points: Float64Array, tolerance: number): Ellipse | null {
  let kept = points;
  let ellipse = fitEllipse(points);
  for (let refit = 0; refit < 3 && ellipse !== null; refit++) {
    const fitted = ellipse;
    const distances = new Float64Array(points.length / 2).map((_, index) =>
      Math.abs(signedDistance(fitted, points[2 * index]!, points[2 * index + 1]!)),
    );
    const deviation = Math.max(1.4826 * median(distances), tolerance);
    const near = chosen(points, (_x, _y, index) => distances[index]! <= LIMITS.FARTHEST * deviation);
    if (near.length === kept.length || near.length < Math.max(10, (2 * points.length) / 3)) break;
    kept = near;
    ellipse = fitEllipse(near);
  }
  return ellipse;
}

/** Dice of a region of the map and an ellipse of the original image, on the map's grid. */
function agreementOf(region: Mask, ellipse: Ellipse, toNative: AxisMap): number {
  const { scaleX, scaleY, shiftX, shiftY } = toNative;
  const toMap = { a: 1 / scaleX, b: 0, c: 0, d: 1 / scaleY };
  const mapped = transformed(ellipse, toMap, -shiftX / scaleX, -shiftY / scaleY);
  const onMap = rasterised(mapped, region.width, region.height);
  let both = 0;
  region.data.forEach((inside, index) => (both += inside & onMap.data[index]!));
  const total = countInside(region) + countInside(onMap);
  return total === 0 ? 0 : (2 * both) / total;
}

/** Whether a point lies within the frame, at least `margin` px from its edges. */
function isInside(x: number, y: number, frame: Frame, margin: number): boolean {
  return (
    x > frame.left + margin && x < frame.right - margin && y > frame.top + margin && y < frame.bottom - margin
  );
}

/** Those of the points (x and y by turns) that a condition holds for. */
function chosen(points: Float64Array, holds: (x: number, y: number, index: number) => boolean): Float64Array {
  return points.filter((_, at) => holds(points[at & ~1]!, points[at | 1]!, at >> 1));
}

/** Area within a closed line, by the shoelace formula. */
function enclosedArea(line: Line): number {
  let twice = 0;
  for (let at = 0; at + 3 < line.length; at += 2) {
    twice += line[at]! * line[at + 3]! - line[at + 2]! * line[at + 1]!;
  }
  return Math.abs(twice) / 2;
}

function median(values: Float64Array): number {
  const sorted = values.slice().sort();
  const middle = sorted.length >> 1;
  return sorted.length % 2 === 1 ? sorted[middle]! : (sorted[middle - 1]! + sorted[middle]!) / 2;
}
