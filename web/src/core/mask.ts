/** Masks of a region: filled from its outline, widened, narrowed and counted, as OpenCV does it. */
import { roundHalfEven } from "./rounding";

/** A mask: 1 inside of a region, 0 elsewhere, row by row. */
export interface Mask {
  readonly data: Uint8Array;
  readonly width: number;
  readonly height: number;
}

/** How many pixels a mask holds. */
export function countInside(mask: Mask): number {
  let count = 0;
  for (const value of mask.data) count += value;
  return count;
}

/** The mask of all pixels within `radius` rows and columns of the region: by a square of 2 radius + 1. */
export function dilated(mask: Mask, radius: number): Mask {
  const { width, height } = mask;
  const across = new Uint8Array(mask.data.length);
  for (let y = 0; y < height; y++) widen(mask.data, across, y * width, 1, width, radius);
  const data = new Uint8Array(mask.data.length);
  for (let x = 0; x < width; x++) widen(across, data, x, width, height, radius);
  return { data, width, height };
}

/** The mask of the pixels whose whole square of 2 radius + 1 lies in the region, or outside the image. */
export function eroded(mask: Mask, radius: number): Mask {
  return complement(dilated(complement(mask), radius));
}

/** The smallest rectangle that holds a region; null where it is empty. */
export function boundingRectangle(mask: Mask): { left: number; top: number; width: number; height: number } | null {
  let [left, top, right, bottom] = [mask.width, mask.height, -1, -1];
  for (let y = 0, at = 0; y < mask.height; y++) {
    for (let x = 0; x < mask.width; x++, at++) {
      if (mask.data[at] === 0) continue;
      left = Math.min(left, x);
      right = Math.max(right, x);
      top = Math.min(top, y);
      bottom = y;
    }
  }
  return right < 0 ? null : { left, top, width: right - left + 1, height: bottom - top + 1 };
}

/**
 * What a closed line (x and y by turns, px) encloses: as `cv2.fillPoly` with shift=4, whose boundary belongs to it.
 * The points of the line are at most a pixel apart from each other, along x and along y.
 */
export function filled(line: Float64Array, width: number, height: number): Mask {
  const data = new Uint8Array(width * height);
  const crossings: number[][] = Array.from({ length: height }, () => []);
  const count = line.length / 2;
  for (let index = 0; index < count; index++) {
    const previous = (index + count - 1) % count;
    const from = pointOf(line, previous);
    const to = pointOf(line, index);
    const x = Math.floor(to.x + 0.5);
    if (x >= 0 && x < width && to.row >= 0 && to.row < height) data[to.row * width + x] = 1;
    const slope = (to.x - from.x) / (to.row - from.row);
    for (let row = Math.max(Math.min(from.row, to.row), 0); row < Math.min(Math.max(from.row, to.row), height); row++) {
      crossings[row]!.push(from.x + (row - from.row) * slope);
    }
  }
  crossings.forEach((places, row) => {
    places.sort((one, other) => one - other);
    for (let index = 0; index + 1 < places.length; index += 2) {
      const start = Math.max(Math.floor(places[index]! + 0.5), 0);
      const end = Math.min(Math.floor(places[index + 1]! + 0.5), width - 1);
      if (start <= end) data.fill(1, row * width + start, row * width + end + 1);
    }
  });
  return { data, width, height };
}

/** A point of a line in sixteenths of a pixel, and the row it is counted to. */
function pointOf(line: Float64Array, index: number): { x: number; row: number } {
  const sixteenths = (value: number): number => roundHalfEven(value * 16);
  return { x: sixteenths(line[2 * index]!) / 16, row: (sixteenths(line[2 * index + 1]!) + 8) >> 4 };
}

function widen(from: Uint8Array, to: Uint8Array, start: number, step: number, length: number, radius: number): void {
  let last = -Infinity;
  const reach = new Uint8Array(length);
  for (let index = 0; index < length; index++) {
    if (from[start + index * step]) last = index;
    if (index - last <= radius) reach[index] = 1;
  }
  last = Infinity;
  for (let index = length - 1; index >= 0; index--) {
    if (from[start + index * step]) last = index;
    if (reach[index] || last - index <= radius) to[start + index * step] = 1;
  }
}

function complement(mask: Mask): Mask {
  return { ...mask, data: mask.data.map((value) => 1 - value) };
}
