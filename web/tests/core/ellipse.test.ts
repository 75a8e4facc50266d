import { expect, test } from "vitest";
import {
  circumference,
  fitEllipse,
  normalEllipse,
  pointsOf,
  rasterised,
  scaled,
  signedDistance,
  transformed,
} from "../../src/core/ellipse";
import { gap } from "./reference";

const ELLIPSES = [-1.5, -0.7, 0, 0.4, 1.3, Math.PI / 2].flatMap((angle) =>
  [0.55, 0.8, 0.98].map((proportion) => normalEllipse(420.5, 260.25, 150, 150 * proportion, angle)),
);

test.each(ELLIPSES)("points of an ellipse at $angle give it back", (ellipse) => {
  const found = fitEllipse(pointsOf(ellipse, 200));
  expect(found).not.toBeNull();
  expect(gap(found!, ellipse)).toBeLessThan(1e-6);
});

test.each(ELLIPSES)("its outline at $angle is as long as its circumference says, and lies at distance 0", (ellipse) => {
  const points = pointsOf(ellipse, 4000);
  let length = 0;
  for (let at = 0; at < points.length; at += 2) {
    const next = (at + 2) % points.length;
    length += Math.hypot(points[next]! - points[at]!, points[next + 1]! - points[at + 1]!);
  }
  expect(circumference(ellipse) / length).toBeCloseTo(1, 5);
  expect(Math.abs(signedDistance(ellipse, points[10]!, points[11]!))).toBeLessThan(1e-9);
  expect(signedDistance(ellipse, ellipse.centerX + 1, ellipse.centerY)).toBeLessThan(-50);
  expect(rasterised(ellipse, 800, 540).data.reduce((sum, value) => sum + value, 0) / areaOf(ellipse)).toBeCloseTo(1, 2);
});

function areaOf({ semiAxisA, semiAxisB }: { semiAxisA: number; semiAxisB: number }): number {
  return Math.PI * semiAxisA * semiAxisB;
}

test("a stretched ellipse has the stretched points", () => {
  for (const ellipse of ELLIPSES) {
    const stretched = scaled(ellipse, 0.12, 0.1);
    const points = pointsOf(ellipse, 50).map((value, at) => value * (at % 2 === 0 ? 0.12 : 0.1));
    for (let at = 0; at < points.length; at += 2) {
      expect(signedDistance(stretched, points[at]!, points[at + 1]!)).toBeCloseTo(0, 8);
    }
  }
});

test("a map and its inverse cancel each other", () => {
  for (const ellipse of ELLIPSES) {
    const there = transformed(ellipse, { a: 1.2, b: 0.3, c: -0.2, d: 0.9 }, 5, -7);
    const determinant = 1.2 * 0.9 + 0.3 * 0.2;
    const inverse = { a: 0.9 / determinant, b: -0.3 / determinant, c: 0.2 / determinant, d: 1.2 / determinant };
    const [x, y] = [-(inverse.a * 5 - inverse.b * 7), -(inverse.c * 5 - inverse.d * 7)];
    expect(gap(transformed(there, inverse, x, y), ellipse)).toBeLessThan(1e-8);
  }
});

test("the normal form has the long axis first, and an angle of half a turn at most", () => {
  for (let angle = -7; angle < 7; angle += 0.1) {
    const ellipse = normalEllipse(1, 2, 3, 5, angle);
    expect([ellipse.semiAxisA, ellipse.semiAxisB]).toEqual([5, 3]);
    expect(ellipse.angle).toBeGreaterThan(-Math.PI / 2);
    expect(ellipse.angle).toBeLessThanOrEqual(Math.PI / 2);
    expect(Math.sin(ellipse.angle - angle - Math.PI / 2)).toBeCloseTo(0, 9);
  }
  expect(() => normalEllipse(0, 0, 1, 0, 0)).toThrow("no ellipse");
  expect(() => normalEllipse(0, NaN, 1, 1, 0)).toThrow("no ellipse");
});

test("points of no ellipse give none", () => {
  const level = Float64Array.from({ length: 40 }, (_, at) => (at % 2 === 0 ? at : 3));
  expect(fitEllipse(level)).toBeNull();
  expect(fitEllipse(new Float64Array(40).fill(3))).toBeNull();
  expect(fitEllipse(pointsOf(ELLIPSES[0]!, 4))).toBeNull();
});
