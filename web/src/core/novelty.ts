/**
 * How unlike the heads that a network knows a region is, by simple statistics of the grey values in and about it:
 * the features of `fetal_seg/measurement/novelty.py`.
 */
import { novelty as VALUES } from "./constants";
import { greyQuantiles } from "./grey_values";
import { boundingRectangle, type Mask } from "./mask";
import { resizeGrey } from "./resize";
import type { AppearanceModel, Grey } from "./types";

/** How unlike the known heads a region of an image at the network's size looks: 1 at the most unlike of these. */
export function noveltyScore(image: Grey, region: Mask, model: AppearanceModel): number {
  return distance(model, features(surroundings(image, region))) / model.largest;
}

/** Eleven numbers: quantiles, mean and deviation of the grey values, detail at three scales, its direction. */
export function features(image: Grey): number[] {
  const { width, height } = image;
  const grey = Float32Array.from(image.data, (value) => value / 255);
  const mean = meanOf(grey);
  const deviation = Math.sqrt(meanOf(grey.map((value) => (value - mean) ** 2)));
  const across = meanDifference(grey, width, height, 1, 0);
  const down = meanDifference(grey, width, height, 0, 1);
  return [
    ...greyQuantiles(image.data, VALUES.QUANTILES).map((quantile) => Math.sqrt(quantile / 255)),
    mean,
    deviation,
    ...detail(grey, width, height, 3),
    Math.log((across + 1e-4) / (down + 1e-4)),
  ];
}

/** The picture of a region and its surroundings, scaled to a square. */
function surroundings(image: Grey, region: Mask): Grey {
  const found = boundingRectangle(region);
  if (found === null) throw new RangeError("a region without pixels has no surroundings");
  const across = Math.ceil(VALUES.SURROUNDINGS * found.width);
  const down = Math.ceil(VALUES.SURROUNDINGS * found.height);
  const left = Math.max(found.left - across, 0);
  const top = Math.max(found.top - down, 0);
  const width = Math.min(found.left + found.width + across, image.width) - left;
  const height = Math.min(found.top + found.height + down, image.height) - top;
  const data = new Uint8Array(width * height);
  for (let row = 0; row < height; row++) {
    const start = (top + row) * image.width + left;
    data.set(image.data.subarray(start, start + width), row * width);
  }
  return resizeGrey({ data, width, height }, VALUES.SIDE, VALUES.SIDE, "area");
}

/** Mahalanobis' distance of features from the known heads' mean. */
function distance(model: AppearanceModel, row: readonly number[]): number {
  const difference = row.map((value, index) => value - model.mean[index]!);
  const squared = model.precision.reduce(
    (sum, weights, index) =>
      sum + difference[index]! * weights.reduce((part, weight, other) => part + weight * difference[other]!, 0),
    0,
  );
  return Math.sqrt(Math.max(squared, 0));
}

/** The logarithm of the mean detail between a level and the next coarser one of a pyramid, `levels` times. */
function detail(grey: Float32Array, width: number, height: number, levels: number): number[] {
  const found: number[] = [];
  let level = grey;
  for (let number = 0; number < levels; number++) {
    const [side, rise] = [width >> number, height >> number];
    const coarse = smoothed(level, side, rise);
    const back = enlarged(coarse, side >> 1, rise >> 1);
    found.push(Math.log(meanOf(level.map((value, index) => Math.abs(value - back[index]!))) + 1e-4));
    level = coarse;
  }
  return found;
}

/** Every other pixel of a map of even sides, smoothed by (1, 4, 6, 4, 1) / 16: OpenCV's `pyrDown`. */
function smoothed(values: Float32Array, width: number, height: number): Float32Array {
  const kernel = [1, 4, 6, 4, 1];
  const mirrored = (index: number, length: number): number =>
    index < 0 ? -index : index >= length ? 2 * length - 2 - index : index;
  const half = width >> 1;
  const narrow = new Float32Array(height * half);
  for (let y = 0; y < height; y++) {
    for (let x = 0; x < half; x++) {
      let sum = 0;
      for (let tap = 0; tap < 5; tap++) sum += kernel[tap]! * values[y * width + mirrored(2 * x + tap - 2, width)]!;
      narrow[y * half + x] = sum;
    }
  }
  const result = new Float32Array((height >> 1) * half);
  for (let y = 0; y < height >> 1; y++) {
    for (let x = 0; x < half; x++) {
      let sum = 0;
      for (let tap = 0; tap < 5; tap++) sum += kernel[tap]! * narrow[mirrored(2 * y + tap - 2, height) * half + x]!;
      result[y * half + x] = sum / 256;
    }
  }
  return result;
}

/** A map of twice the sides, smoothed by (1, 4, 6, 4, 1) / 8: OpenCV's `pyrUp`, mirrored at its beginning alone. */
function enlarged(values: Float32Array, width: number, height: number): Float32Array {
  const wide = new Float32Array(height * 2 * width);
  for (let y = 0; y < height; y++) {
    enlargeLine(width, (x) => values[y * width + x]!, (x, value) => (wide[y * 2 * width + x] = value));
  }
  const result = new Float32Array(4 * height * width);
  for (let x = 0; x < 2 * width; x++) {
    enlargeLine(height, (y) => wide[y * 2 * width + x]!, (y, value) => (result[y * 2 * width + x] = value));
  }
  return result;
}

function enlargeLine(
  length: number,
  get: (index: number) => number,
  set: (index: number, value: number) => void,
): void {
  for (let index = 0; index < length; index++) {
    const before = get(index === 0 ? Math.min(1, length - 1) : index - 1);
    const after = get(Math.min(index + 1, length - 1));
    set(2 * index, (before + 6 * get(index) + after) / 8);
    set(2 * index + 1, (get(index) + after) / 2);
  }
}

function meanDifference(grey: Float32Array, width: number, height: number, right: number, down: number): number {
  let sum = 0;
  for (let y = 0; y + down < height; y++) {
    for (let x = 0; x + right < width; x++) {
      const at = y * width + x;
      sum += Math.abs(grey[at + down * width + right]! - grey[at]!);
    }
  }
  return sum / ((width - right) * (height - down));
}

function meanOf(values: Float32Array): number {
  return values.reduce((sum, value) => sum + value, 0) / values.length;
}
