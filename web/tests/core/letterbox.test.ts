import { expect, test } from "vitest";
import { Letterbox } from "../../src/core/letterbox";
import { resizeAreas, resizeGrey } from "../../src/core/resize";
import { bytes, grey, MAP, reference } from "./reference";

test.each(reference.letterboxes)("$width x $height px come to the network's size as by OpenCV", (image) => {
  const letterbox = new Letterbox(MAP.height, MAP.width);
  expect(letterbox.apply(grey(image)).data).toEqual(bytes(image.framed));
  const { scaleX, scaleY, shiftX, shiftY } = letterbox.toNative(image.height, image.width);
  [scaleX, 0, shiftX, 0, scaleY, shiftY].forEach((value, index) => {
    expect(value).toBeCloseTo(image.toNative[index]!, 9);
  });
});

test.each(reference.squares)("$width x $height px become a square as by OpenCV", (image) => {
  expect(resizeGrey(grey(image), 128, 128, "area").data).toEqual(bytes(image.square));
});

test("averaging keeps the sum, whatever the sizes", () => {
  const values = Float32Array.from({ length: 37 * 23 }, (_, index) => (index * 7919) % 101);
  const sum = values.reduce((total, value) => total + value, 0);
  for (const [width, height] of [[36, 22], [10, 7], [1, 1], [37, 5]] as const) {
    const smaller = resizeAreas(values, 37, 23, width, height);
    const mean = smaller.reduce((total, value) => total + value, 0) / smaller.length;
    expect(mean).toBeCloseTo(sum / values.length, 2);
  }
});
