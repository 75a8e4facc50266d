import { readdirSync, readFileSync } from "node:fs";
import { expect, test } from "vitest";

const CORE = new URL("../../src/core/", import.meta.url);

test("the measurement runs in a browser's worker: it imports nothing of Node, and nothing of the page", () => {
  const allowed = ["dicom-parser", "fast-png", "ml-matrix", "onnxruntime-web", "../../generated/constants.json"];
  for (const file of readdirSync(CORE)) {
    const source = readFileSync(new URL(file, CORE), "utf8");
    for (const [, name] of source.matchAll(/from "([^"]+)"/g)) {
      expect(name!.startsWith("./") || allowed.includes(name!), `${file} imports ${name}`).toBe(true);
    }
  }
});

test("of onnxruntime-web the measurement knows the types alone: the page chooses the bundle", () => {
  for (const file of readdirSync(CORE)) {
    const source = readFileSync(new URL(file, CORE), "utf8");
    for (const [line] of source.matchAll(/^import .*onnxruntime-web.*$/gm)) expect(line).toMatch(/^import type /);
  }
});
