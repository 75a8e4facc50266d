/** Asks Python once for the values and the cases that unit tests look at, so that these are never old. */
import { execFileSync } from "node:child_process";
import { join } from "node:path";

export default function setup(): void {
  const root = join(import.meta.dirname, "..", "..", "..");
  const generated = join("web", "generated");
  for (const module of [["tools.page_data", generated, "--constants"], ["tools.page_reference", generated]]) {
    execFileSync(process.env["PYTHON"] ?? "python3", ["-m", ...module], { cwd: root, stdio: "inherit" });
  }
}
