import { expect, test } from "vitest";
import { levelLines } from "../../src/core/contour";

const [WIDTH, HEIGHT] = [40, 30];

function mapOf(value: (x: number, y: number) => number): Float32Array {
  return Float32Array.from({ length: WIDTH * HEIGHT }, (_, at) => value(at % WIDTH, Math.floor(at / WIDTH)));
}

function area(line: Float64Array): number {
  let twice = 0;
  for (let at = 0; at + 3 < line.length; at += 2) twice += line[at]! * line[at + 3]! - line[at + 2]! * line[at + 1]!;
  return Math.abs(twice) / 2;
}

test("the line about a cone is a circle, closed, between pixel centres", () => {
  const lines = levelLines(mapOf((x, y) => 9.3 - Math.hypot(x - 18.2, y - 14.7)), WIDTH, HEIGHT, 0);
  expect(lines).toHaveLength(1);
  const [line] = lines as [Float64Array];
  expect(Array.from(line.slice(0, 2))).toEqual(Array.from(line.slice(-2)));
  for (let at = 0; at < line.length; at += 2) {
    expect(Math.hypot(line[at]! - 18.2, line[at + 1]! - 14.7)).toBeCloseTo(9.3, 1);
  }
  expect(area(line)).toBeCloseTo(Math.PI * 9.3 ** 2, -0.5);
});

test("holes and islands have lines of their own", () => {
  const ring = levelLines(mapOf((x, y) => 3 - Math.abs(Math.hypot(x - 18, y - 14) - 8)), WIDTH, HEIGHT, 0);
  expect(ring.map(area).sort((one, other) => one - other).map(Math.round)).toEqual(
    [Math.PI * 25, Math.PI * 121].map((expected) => expect.closeTo(expected, -0.5) as number),
  );
  expect(levelLines(mapOf((x) => (x % 10 === 5 ? 1 : -1)), WIDTH, HEIGHT, 0)).toHaveLength(4);
});

test("the frame closes what it cuts", () => {
  const lines = levelLines(mapOf((x) => x - 20.5), WIDTH, HEIGHT, 0);
  expect(lines).toHaveLength(1);
  const xs = lines[0]!.filter((_, at) => at % 2 === 0);
  expect(Math.min(...xs)).toBeCloseTo(20.5, 6);
  expect(Math.max(...xs)).toBeGreaterThan(WIDTH - 1);
});

test("opposite corners are connected where the mean of their cell is above the level", () => {
  const checkers = (high: number): Float32Array => Float32Array.from([high, -1, -1, high]);
  expect(levelLines(checkers(2), 2, 2, 0)).toHaveLength(1);
  expect(levelLines(checkers(0.5), 2, 2, 0)).toHaveLength(2);
});

test("nothing above the level gives no line", () => {
  expect(levelLines(mapOf(() => 0), WIDTH, HEIGHT, 0)).toEqual([]);
});
