import { describe, expect, test } from "vitest";
import { endOf, grown, moved, nearestAngle, placed, pulled, turned } from "../../src/app/editing";
import type { Ellipse } from "../../src/core";

const HEAD: Ellipse = { centerX: 100, centerY: 80, semiAxisA: 50, semiAxisB: 35, angle: 0.3 };

const expectSame = (found: Ellipse, expected: Ellipse) => {
  for (const [name, value] of Object.entries(expected)) expect(found[name as keyof Ellipse], name).toBeCloseTo(value, 9);
};

describe("an end that is pulled", () => {
  test.each(["long", "short"] as const)("leaves the other end of the %s axis where it is", (axis) => {
    const fixed = endOf(HEAD, axis, -1);
    const end = endOf(HEAD, axis, 1);
    const after = pulled(HEAD, axis, fixed, { x: end.x + 6, y: end.y - 3 });
    const ends = [endOf(after, axis, -1), endOf(after, axis, 1)];
    expect(Math.min(...ends.map(({ x, y }) => Math.hypot(x - fixed.x, y - fixed.y)))).toBeCloseTo(0, 9);
  });

  test("of the long axis goes where it is pulled, and back gives the same ellipse", () => {
    const [fixed, end] = [endOf(HEAD, "long", -1), endOf(HEAD, "long", 1)];
    const after = pulled(HEAD, "long", fixed, { x: end.x + 20, y: end.y + 30 });
    expect(endOf(after, "long", 1).x).toBeCloseTo(end.x + 20, 9);
    expect(endOf(after, "long", 1).y).toBeCloseTo(end.y + 30, 9);
    expect(after.semiAxisB).toBe(HEAD.semiAxisB);
    expectSame(pulled(after, "long", fixed, end), HEAD);
  });

  test("of the short axis does not turn the ellipse", () => {
    const [fixed, end] = [endOf(HEAD, "short", 1), endOf(HEAD, "short", -1)];
    const after = pulled(HEAD, "short", fixed, { x: end.x + 4, y: end.y - 9 });
    expect(after.angle).toBe(HEAD.angle);
    expect(after.semiAxisA).toBe(HEAD.semiAxisA);
  });

  test("never makes the short axis the longer one, nor an axis of no length", () => {
    const far = { x: 1e4, y: 1e4 };
    expect(pulled(HEAD, "short", endOf(HEAD, "short", -1), far).semiAxisB).toBe(HEAD.semiAxisA);
    expect(pulled(HEAD, "short", endOf(HEAD, "short", -1), endOf(HEAD, "short", -1)).semiAxisB).toBeGreaterThan(0);
    expect(pulled(HEAD, "long", endOf(HEAD, "long", -1), endOf(HEAD, "long", -1)).semiAxisA).toBe(HEAD.semiAxisB);
  });

  test("beyond the upright gives an angle in its range", () => {
    const upright = { ...HEAD, angle: Math.PI / 2 - 0.01 };
    const end = endOf(upright, "long", 1);
    const { angle } = pulled(upright, "long", endOf(upright, "long", -1), { x: end.x - 10, y: end.y });
    expect(angle).toBeLessThan(0);
    expect(nearestAngle(angle, upright.angle)).toBeGreaterThan(Math.PI / 2);
  });
});

test("moved, turned and grown there and back, an ellipse is the same", () => {
  expectSame(moved(moved(HEAD, 7, -3), -7, 3), HEAD);
  expectSame(turned(turned(HEAD, 2), -2), HEAD);
  expectSame(grown(grown(HEAD, 8), -8), HEAD);
  expect(grown(HEAD, -1e6).semiAxisB).toBeGreaterThan(0);
});

test("an ellipse that is placed lies within the image", () => {
  const { centerX, centerY, semiAxisA, semiAxisB } = placed(800, 540);
  expect([centerX, centerY]).toEqual([399.5, 269.5]);
  expect(semiAxisA).toBeLessThan(270);
  expect(semiAxisB).toBeLessThan(semiAxisA);
});
