import { expect, test } from "vitest";
import { head_gate } from "../../src/core/constants";
import { headProbability } from "../../src/core/head_gate";
import { measure, measureEdited, turnedBack } from "../../src/core/measurement";
import { noveltyScore } from "../../src/core/novelty";
import { isHead, sizeReasons } from "../../src/core/quality";
import type { Frame } from "../../src/core";
import { CALIBRATED, ellipseOf, floats, gap, grey, mask, reference } from "./reference";

const HEAD = ellipseOf([100, 90, 90, 68, 0.3]);
const FRAME: Frame = {
  name: "a.png",
  image: { data: new Uint8Array(4), width: 2, height: 2 },
  spacing: null,
  notes: [],
  spacingAt: () => null,
};
const UNKNOWN = "pixel size unknown: results in pixels";

test("heads, flags and reasons are those of Python, for all qualities", () => {
  expect(reference.qualities.length).toBeGreaterThan(1000);
  for (const { quality, isHead: expected, flag, reasons, whyNoHead } of reference.qualities) {
    expect(isHead(quality, CALIBRATED)).toBe(expected);
    const measured = measure({ ellipse: HEAD, quality }, FRAME, null, CALIBRATED);
    expect([measured.flag, ...measured.reasons]).toEqual([flag, ...reasons]);
    const nothing = measure({ ellipse: null, quality }, FRAME, null, CALIBRATED);
    expect([nothing.flag, ...nothing.reasons]).toEqual(["no head", whyNoHead]);
  }
});

test("odd sizes are said in Python's words", () => {
  for (const { xMm, yMm, hcMm, reasons } of reference.sizes) expect(sizeReasons(xMm, yMm, hcMm)).toEqual(reasons);
});

test("ellipses of turned pictures are turned back", () => {
  const quality = { ...reference.qualities[0]!.quality, turned: false };
  for (const { turned, width, back } of reference.turns) {
    const { ellipse } = turnedBack({ ellipse: ellipseOf(turned), quality }, width, CALIBRATED);
    expect(gap(ellipse!, ellipseOf(back))).toBeLessThan(1e-9);
  }
});

test.each(reference.features)("regions look as unlike known heads as in Python: $score", (image) => {
  const region = mask(image.region, image.width, image.height);
  expect(noveltyScore(grey(image), region, image.model) / image.score).toBeCloseTo(1, 4);
});

test.each(reference.gates)("the gate gives Python's probability, $probability", (gate) => {
  const levels = gate.levels.map(({ shape: [channels, height, width], data }) => ({
    data: floats(data),
    channels,
    height,
    width,
  }));
  const limits = { reviewBelow: 0.6, rejectBelow: 0.2 };
  const region = mask(gate.region, 192, 128);
  const known = { pooling: head_gate.POOLING, weights: gate.weights, bias: gate.bias, limits };
  expect(headProbability(known, levels, region)).toBeCloseTo(gate.probability, 5);
  expect(headProbability({ ...known, pooling: "another" }, levels, region)).toBeNull();
  expect(headProbability({ ...known, weights: gate.weights.slice(1) }, levels, region)).toBeNull();
});

test("what a person drew is marked, and has neither confidence nor interval", () => {
  const given = { xMm: 0.1, yMm: 0.1, source: "given" };
  const edited = measureEdited(HEAD, FRAME, given);
  expect(edited.reasons).toEqual(["edited"]);
  expect([edited.flag, edited.confidence, edited.hcLowMm, edited.headProbability]).toEqual(["ok", null, null, null]);
  expect(edited.hcMm).toBeCloseTo(edited.hcPx! / 10, 6);
  expect(measureEdited(HEAD, FRAME, { ...given, xMm: 5, yMm: 5 }).flag).toBe("check");
  expect(measureEdited(HEAD, FRAME, null).reasons).toEqual(["edited", UNKNOWN]);
});

test("a pixel size that is given goes before the file's, which is mentioned where it differs", () => {
  const stated = { xMm: 0.2, yMm: 0.2, source: "dicom region", isDoubtful: true };
  const frame = { ...FRAME, spacing: stated, spacingAt: () => stated, notes: ["a note"] };
  const prediction = { ellipse: HEAD, quality: reference.qualities[0]!.quality };
  const given = { xMm: 0.1, yMm: 0.1, source: "given" };
  expect(measure(prediction, frame, given, CALIBRATED).reasons).toEqual([
    "a note",
    "the file itself says 0.2 mm a pixel",
  ]);
  expect(measure(prediction, frame, { ...given, xMm: 0.2005, yMm: 0.2005 }, CALIBRATED).reasons).toEqual(["a note"]);
  expect(measure(prediction, frame, null, CALIBRATED).reasons).toEqual(["the file's pixel size is in doubt", "a note"]);
});
