/** Scaling as OpenCV's `resize` does it, to the grey value. */
import { roundHalfEven } from "./rounding";
import type { Grey } from "./types";

export type Interpolation = "area" | "linear";

/** What each target pixel of one axis is made of: sources from `first` on, each with its weight. */
interface Taps {
  readonly first: Int32Array;
  readonly weights: readonly Float32Array[];
}

/** Two sources of a target pixel, with weights in 1/2048. */
interface Pair {
  readonly from: number;
  readonly to: number;
  readonly weightFrom: number;
  readonly weightTo: number;
}

const ONE = 2048; // OpenCV's INTER_RESIZE_COEF_SCALE

/** Scales a grey image. "area" averages areas where both sides shrink, and interpolates where one grows. */
export function resizeGrey(image: Grey, width: number, height: number, interpolation: Interpolation): Grey {
  if (image.width === width && image.height === height) return image;
  if (interpolation === "linear") return interpolated(image, width, height, linearPairs);
  if (width > image.width || height > image.height) return interpolated(image, width, height, areaPairs);
  if (image.width === 2 * width && image.height === 2 * height) return halved(image, width, height);
  const averaged = resizeAreas(image.data, image.width, image.height, width, height);
  return { data: Uint8Array.from(averaged, roundHalfEven), width, height };
}

/**
 * The means of a map's areas (a smaller map), each source weighted by the part of it that lies in the target pixel; in
 * float32, as OpenCV computes them: some means lie half-way between grey values.
 */
export function resizeAreas(
  values: ArrayLike<number>,
  sourceWidth: number,
  sourceHeight: number,
  width: number,
  height: number,
): Float32Array {
  const columns = areaTaps(sourceWidth, width);
  const rows = areaTaps(sourceHeight, height);
  const narrow = new Float32Array(sourceHeight * width);
  for (let y = 0; y < sourceHeight; y++) {
    for (let x = 0; x < width; x++) {
      const weights = columns.weights[x]!;
      const start = y * sourceWidth + columns.first[x]!;
      let sum = 0;
      for (let tap = 0; tap < weights.length; tap++) {
        sum = Math.fround(sum + Math.fround(values[start + tap]! * weights[tap]!));
      }
      narrow[y * width + x] = sum;
    }
  }
  const result = new Float32Array(height * width);
  for (let y = 0; y < height; y++) {
    const weights = rows.weights[y]!;
    for (let x = 0; x < width; x++) {
      let sum = 0;
      for (let tap = 0; tap < weights.length; tap++) {
        sum = Math.fround(sum + Math.fround(narrow[(rows.first[y]! + tap) * width + x]! * weights[tap]!));
      }
      result[y * width + x] = sum;
    }
  }
  return result;
}

function areaTaps(source: number, target: number): Taps {
  const scale = source / target;
  const first = new Int32Array(target);
  const weights: Float32Array[] = [];
  for (let index = 0; index < target; index++) {
    const begin = index * scale;
    const cell = Math.min(scale, source - begin);
    const end = begin + scale;
    const lastWhole = Math.min(Math.floor(end), source - 1);
    const firstWhole = Math.min(Math.ceil(begin), lastWhole);
    const taps: number[] = [];
    const leads = firstWhole - begin > 1e-3;
    if (leads) taps.push((firstWhole - begin) / cell);
    for (let whole = firstWhole; whole < lastWhole; whole++) taps.push(1 / cell);
    if (end - lastWhole > 1e-3) taps.push(Math.min(end - lastWhole, 1, cell) / cell);
    first[index] = leads ? firstWhole - 1 : firstWhole;
    weights.push(Float32Array.from(taps));
  }
  return { first, weights };
}

/** Means of four, halves upwards: OpenCV has its own way for this scale. */
function halved(image: Grey, width: number, height: number): Grey {
  const data = new Uint8Array(width * height);
  for (let y = 0; y < height; y++) {
    for (let x = 0; x < width; x++) {
      const at = 2 * y * image.width + 2 * x;
      const below = at + image.width;
      data[y * width + x] =
        (image.data[at]! + image.data[at + 1]! + image.data[below]! + image.data[below + 1]! + 2) >> 2;
    }
  }
  return { data, width, height };
}

function interpolated(
  image: Grey,
  width: number,
  height: number,
  pairsOf: (source: number, target: number, isRow: boolean) => Pair[],
): Grey {
  const columns = pairsOf(image.width, width, false);
  const rows = pairsOf(image.height, height, true);
  const wide = new Int32Array(image.height * width);
  for (let y = 0; y < image.height; y++) {
    columns.forEach(({ from, to, weightFrom, weightTo }, x) => {
      const start = y * image.width;
      wide[y * width + x] = image.data[start + from]! * weightFrom + image.data[start + to]! * weightTo;
    });
  }
  const data = new Uint8Array(width * height);
  rows.forEach(({ from, to, weightFrom, weightTo }, y) => {
    for (let x = 0; x < width; x++) {
      const upper = (weightFrom * (wide[from * width + x]! >> 4)) >> 16;
      const lower = (weightTo * (wide[to * width + x]! >> 4)) >> 16;
      data[y * width + x] = Math.min(Math.max((upper + lower + 2) >> 2, 0), 255);
    }
  });
  return { data, width, height };
}

function linearPairs(source: number, target: number, isRow: boolean): Pair[] {
  return Array.from({ length: target }, (_, index) => {
    const place = Math.fround((index + 0.5) * (source / target) - 0.5);
    const below = Math.floor(place);
    const fraction = Math.fround(place - below);
    const isBeyond = below < 0 || below >= source - 1;
    return pair(below, isBeyond && !isRow ? 0 : fraction, source); // at the edge columns are taken, rows are mixed
  });
}

function areaPairs(source: number, target: number): Pair[] {
  return Array.from({ length: target }, (_, index) => {
    const below = Math.floor(index * (source / target));
    const beyond = Math.fround(index + 1 - (below + 1) * (target / source));
    return pair(below, beyond <= 0 ? 0 : Math.fround(beyond - Math.floor(beyond)), source);
  });
}

function pair(below: number, fraction: number, source: number): Pair {
  const inside = (index: number): number => Math.min(Math.max(index, 0), source - 1);
  return {
    from: inside(below),
    to: inside(below + 1),
    weightFrom: roundHalfEven(Math.fround(1 - fraction) * ONE),
    weightTo: roundHalfEven(fraction * ONE),
  };
}
