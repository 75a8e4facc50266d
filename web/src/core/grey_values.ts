/** Grey values: of colours, and their quantiles. */
import type { Grey } from "./types";

/** Grey of colours: ITU-R 601 in the whole numbers that Pillow takes. */
export function luma(red: number, green: number, blue: number): number {
  return (red * 19595 + green * 38470 + blue * 7471 + 0x8000) >> 16;
}

/** The grey image of RGBA values; transparency is laid on black, as Pillow does it. */
export function greyOfRgba(rgba: ArrayLike<number>, width: number, height: number): Grey {
  const data = new Uint8Array(width * height);
  for (let index = 0, at = 0; index < data.length; index++, at += 4) {
    const alpha = rgba[at + 3]!;
    data[index] = luma(onBlack(rgba[at]!, alpha), onBlack(rgba[at + 1]!, alpha), onBlack(rgba[at + 2]!, alpha));
  }
  return { data, width, height };
}

/** What `numpy.quantile` gives for grey values, by counting them. */
export function greyQuantiles(values: Iterable<number>, fractions: readonly number[]): number[] {
  const counts = new Float64Array(256);
  let total = 0;
  for (const value of values) {
    counts[value]! += 1;
    total += 1;
  }
  const valueAt = (rank: number): number => {
    let seen = 0;
    for (let value = 0; value < 256; value++) {
      seen += counts[value]!;
      if (seen > rank) return value;
    }
    return 255;
  };
  return fractions.map((fraction) => {
    const place = fraction * (total - 1);
    const below = valueAt(Math.floor(place));
    return below + (place - Math.floor(place)) * (valueAt(Math.ceil(place)) - below);
  });
}

/** A value of 0 to 255 of which `alpha` of 255 parts are seen before black. */
function onBlack(value: number, alpha: number): number {
  if (alpha === 255) return value;
  const product = 128 * value * alpha + 0x4000;
  return (((product >> 8) + product) >> 8) >> 7;
}
