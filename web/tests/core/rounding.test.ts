import { expect, test } from "vitest";
import { general, roundHalfEven, whole } from "../../src/core/rounding";
import { reference } from "./reference";

test("numbers are written as Python writes them", () => {
  for (const { value, whole: none, three, six } of reference.numbers) {
    expect(general(value)).toBe(six);
    expect(general(value, 3)).toBe(three);
    if (Math.abs(value) < 1e15) expect(whole(value)).toBe(none.replace(/^-0$/, "0"));
  }
});

test("halves are rounded to even numbers", () => {
  expect([-1.5, -0.5, 0.5, 1.5, 2.5, 2.4999, 2.5001].map((value) => roundHalfEven(value) + 0)).toEqual([
    -2, 0, 0, 2, 2, 2, 3,
  ]);
});
