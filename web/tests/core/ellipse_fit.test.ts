import { expect, test } from "vitest";
import { fitHead } from "../../src/core/ellipse_fit";
import { Letterbox } from "../../src/core/letterbox";
import { countInside, dilated, eroded, filled } from "../../src/core/mask";
import { bytes, ellipseOf, type EllipseValues, floats, gap, MAP, reference } from "./reference";

const LETTERBOX = new Letterbox(MAP.height, MAP.width);

test.each(reference.fits.map((fit, number) => ({ ...fit, number })))("map $number gives Python's head", (map) => {
  const toNative = LETTERBOX.toNative(map.height, map.width);
  const found = fitHead(floats(map.logits), MAP.width, MAP.height, toNative, map.width, map.height);
  expect(found === null).toBe(map.fit === null);
  if (found === null || map.fit === null) return;
  expect(gap(found.ellipse, ellipseOf(map.fit.ellipse as EllipseValues))).toBeLessThan(1e-6);
  expect(found.cut).toBeCloseTo(map.fit.cut, 9);
  expect(found.agreement).toBeCloseTo(map.fit.agreement, 9);
  expect(found.region.data).toEqual(bytes(map.fit.region));
});

test("the reference holds maps with a head and without", () => {
  const heads = reference.fits.filter(({ fit }) => fit !== null).length;
  expect(heads).toBeGreaterThan(30);
  expect(reference.fits.length - heads).toBeGreaterThan(2);
});

test("a filled square has the pixels within it, its boundary included", () => {
  const corners: number[] = [];
  for (let step = 0; step < 10; step++) corners.push(5 + step, 4);
  for (let step = 0; step < 8; step++) corners.push(15, 4 + step);
  for (let step = 0; step < 10; step++) corners.push(15 - step, 12);
  for (let step = 0; step < 8; step++) corners.push(5, 12 - step);
  const square = filled(Float64Array.from(corners), 30, 20);
  expect(countInside(square)).toBe(11 * 9);
  expect(countInside(dilated(square, 2))).toBe(15 * 13);
  expect(countInside(eroded(square, 2))).toBe(7 * 5);
  expect(eroded(dilated(square, 3), 3).data).toEqual(square.data);
});

test("narrowing does not come from outside of the image", () => {
  const all = { data: new Uint8Array(50).fill(1), width: 10, height: 5 };
  expect(eroded(all, 2)).toEqual(all);
});
