import { readFileSync } from "node:fs";
import { expect, test } from "vitest";
import { readMetadata } from "../../src/core/metadata";

const MODEL = new Uint8Array(readFileSync(new URL("../../generated/network.onnx", import.meta.url)));

test("the network's file tells all that a measurement needs", () => {
  const metadata = readMetadata(MODEL);
  expect([metadata.height, metadata.width]).toEqual([256, 384]);
  expect(metadata.checkpointSha256).toMatch(/^[0-9a-f]{64}$/);
  expect(metadata.interval!.scores.length).toBe(metadata.interval!.hcMm.length);
  expect(metadata.appearance!.precision.length).toBe(metadata.appearance!.mean.length);
  expect(metadata.confidence!.reviewBelow).toBeGreaterThan(metadata.confidence!.rejectBelow);
  expect(metadata.gate!.weights.length).toBeGreaterThan(100);
});

test("a file that is cut off, or of another kind, is refused in one sentence", () => {
  expect(() => readMetadata(MODEL.subarray(0, MODEL.length / 2))).toThrow(/damaged|not written/);
  expect(() => readMetadata(new Uint8Array(0))).toThrow("not written by export.py");
  expect(() => readMetadata(new TextEncoder().encode("<html>"))).toThrow(/damaged|not written/);
});
