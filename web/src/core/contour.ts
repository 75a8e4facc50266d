/** The lines where a map crosses a level, by linear interpolation between pixel centres: marching squares. */

/** A closed line: x and y by turns, px of the map; its first point is its last as well. */
export type Line = Float64Array;

// Sides of a cell of four pixel centres, in the order in which `SEGMENTS` names them
const TOP = 0;
const RIGHT = 1;
const BOTTOM = 2;
const LEFT = 3;

/** From side to side, by which corners are inside (1 upper left, 2 upper right, 4 lower right, 8 lower left). */
const SEGMENTS: readonly (readonly (readonly [number, number])[])[] = [
  [],
  [[TOP, LEFT]],
  [[RIGHT, TOP]],
  [[RIGHT, LEFT]],
  [[BOTTOM, RIGHT]],
  [], // 1 and 4 are opposite: see CONNECTED and SEPARATE
  [[BOTTOM, TOP]],
  [[BOTTOM, LEFT]],
  [[LEFT, BOTTOM]],
  [[TOP, BOTTOM]],
  [],
  [[RIGHT, BOTTOM]],
  [[LEFT, RIGHT]],
  [[TOP, RIGHT]],
  [[LEFT, TOP]],
  [],
];
type Saddle = Record<"connected" | "separate", readonly (readonly [number, number])[]>;
const SADDLES: ReadonlyMap<number, Saddle> = new Map([
  [5, { connected: [[TOP, RIGHT], [BOTTOM, LEFT]], separate: [[TOP, LEFT], [BOTTOM, RIGHT]] }],
  [10, { connected: [[LEFT, TOP], [RIGHT, BOTTOM]], separate: [[RIGHT, TOP], [LEFT, BOTTOM]] }],
]);

/**
 * The closed level lines of a map, row by row, about all that exceeds the level, and about holes in it.
 * Beyond its edges the map lies below the level. Opposite corners of a cell are connected where its mean exceeds it.
 */
export function levelLines(values: ArrayLike<number>, width: number, height: number, level: number): Line[] {
  const map = padded(values, width, height, level);
  const next = segments(map, level);
  const lines: Line[] = [];
  for (let start = 0; start < next.length; start++) {
    if (next[start]! >= 0) lines.push(follow(next, start, map, level));
  }
  return lines;
}

interface PaddedMap {
  readonly values: Float64Array;
  readonly width: number;
  readonly height: number;
}

/** The map with a border that lies as far below the level as the highest value above it, at least 1. */
function padded(values: ArrayLike<number>, width: number, height: number, level: number): PaddedMap {
  let highest = -Infinity;
  for (let index = 0; index < values.length; index++) highest = Math.max(highest, values[index]!);
  const wide = width + 2;
  const result = new Float64Array(wide * (height + 2)).fill(level - Math.max(highest - level, 1));
  for (let y = 0; y < height; y++) {
    for (let x = 0; x < width; x++) result[(y + 1) * wide + x + 1] = values[y * width + x]!;
  }
  return { values: result, width: wide, height: height + 2 };
}

/**
 * For each side of a cell the side where a line that enters there leaves the cell, or -1.
 * A side is twice the index of its upper or left pixel, and one more where it goes down.
 */
function segments({ values, width, height }: PaddedMap, level: number): Int32Array {
  const next = new Int32Array(2 * values.length).fill(-1);
  for (let y = 0; y + 1 < height; y++) {
    for (let x = 0; x + 1 < width; x++) {
      const at = y * width + x;
      const corners = [values[at]!, values[at + 1]!, values[at + width + 1]!, values[at + width]!] as const;
      const inside = corners.reduce((sum, value, corner) => sum + (value > level ? 1 << corner : 0), 0);
      if (inside === 0 || inside === 15) continue;
      const sides = [2 * at, 2 * (at + 1) + 1, 2 * (at + width), 2 * at + 1];
      const mean = (corners[0] + corners[1] + corners[2] + corners[3]) / 4;
      const found = SADDLES.get(inside)?.[mean > level ? "connected" : "separate"] ?? SEGMENTS[inside]!;
      for (const [from, to] of found) next[sides[from]!] = sides[to]!;
    }
  }
  return next;
}

/** The line that enters a cell at side `start`; its segments are taken out of `next`. */
function follow(next: Int32Array, start: number, { values, width }: PaddedMap, level: number): Line {
  const points: number[] = [];
  let side = start;
  do {
    const pixel = side >> 1;
    const isDown = (side & 1) === 1;
    const here = values[pixel]!;
    const part = (level - here) / (values[pixel + (isDown ? width : 1)]! - here);
    points.push((pixel % width) - 1 + (isDown ? 0 : part), Math.floor(pixel / width) - 1 + (isDown ? part : 0));
    const following = next[side]!;
    next[side] = -1;
    side = following;
  } while (side !== start);
  return Float64Array.from(points.slice(-2).concat(points)); // where contourpy begins: the fit counts this point twice
}
