/** Makes the samples once for all files of tests: images, and what `predict.py` says of them. */
import { execFileSync } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { TestProject } from "vitest/node";

declare module "vitest" {
  export interface ProvidedContext {
    /** The folder that `python -m tests.web.samples` wrote. */
    samples: string;
  }
}

export default function setup(project: TestProject): () => void {
  const kept = process.env["PAGE_SAMPLES"]; // to try things out: a folder of samples that is there
  const folder = kept ?? mkdtempSync(join(tmpdir(), "fetal-seg-page-"));
  project.provide("samples", folder);
  if (kept) return () => undefined;
  const root = join(import.meta.dirname, "..", "..", "..");
  execFileSync(process.env["PYTHON"] ?? "python3", ["-m", "tests.web.samples", folder], { cwd: root, stdio: "inherit" });
  return () => rmSync(folder, { recursive: true });
}
