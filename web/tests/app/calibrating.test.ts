import { expect, test } from "vitest";
import { givenSpacing, pixelSize, positiveNumber } from "../../src/app/calibrating";

test("the pixel size is the length by its pixels, along any direction", () => {
  expect(pixelSize({ x: 10, y: 20 }, { x: 40, y: 60 }, 10)).toEqual({ value: 0.2 });
});

test("two points that are one give no pixel size, but a sentence", () => {
  expect(pixelSize({ x: 10, y: 20 }, { x: 10.4, y: 20 }, 10)).toEqual({ problem: expect.stringContaining("the same") });
});

test.each([["0.12", 0.12], [" 0,12 ", 0.12], ["1e-1", 0.1]])("%j is a number", (text, value) => {
  expect(positiveNumber(text, "the length")).toEqual({ value });
});

test.each(["", "0", "-1", "abc", "Infinity", "1,2,3"])("%j is none, and the sentence names what it should be", (text) => {
  expect(positiveNumber(text, "the length")).toEqual({ problem: expect.stringMatching(/^the length must be a number above 0/) });
});

test("a given size has the words of predict.py", () => {
  expect(givenSpacing(0.12)).toEqual({ xMm: 0.12, yMm: 0.12, source: "given" });
});
