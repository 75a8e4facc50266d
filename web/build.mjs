/** Builds `dist/fetal-seg.html`: one file that holds the page, its worker, the network and onnxruntime-web. */
import { createHash } from "node:crypto";
import { mkdirSync, readFileSync, renameSync, writeFileSync } from "node:fs";
import { createRequire } from "node:module";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { gzipSync } from "node:zlib";
import { build } from "esbuild";

const WEB = dirname(fileURLToPath(import.meta.url));
const NETWORK = join(WEB, "generated", "network.onnx");
const OUTPUT = join(WEB, "..", "dist", "fetal-seg.html");
const resolve = createRequire(import.meta.url).resolve;

/** The code of an entry point with all that it imports, and the packages among that. */
async function bundled(entry) {
  const result = await build({
    absWorkingDir: WEB,
    entryPoints: [`src/app/${entry}`],
    bundle: true,
    minify: true,
    write: false,
    metafile: true,
    format: "iife",
    target: ["chrome110", "firefox115", "safari16.4"],
    jsx: "automatic",
    jsxImportSource: "preact",
    legalComments: "none",
    logOverride: { "empty-import-meta": "silent" }, // onnxruntime-web looks for its file there; it is given the bytes
  });
  const packages = Object.keys(result.metafile.inputs).map((path) => /node_modules\/((?:@[^/]+\/)?[^/]+)\//.exec(path)?.[1]);
  return { code: result.outputFiles[0].text.trim(), packages: packages.filter(Boolean) };
}

/** What the licences of the packages ask to be kept with their code. */
function licences(packages) {
  return [...new Set(packages)].sort().map((name) => {
    const folder = join(WEB, "node_modules", name);
    const { version, license, author } = JSON.parse(readFileSync(join(folder, "package.json"), "utf8"));
    const texts = ["LICENSE", "LICENSE.md", "LICENSE.txt", "license"].flatMap((file) => {
      try {
        return [readFileSync(join(folder, file), "utf8").trim()];
      } catch {
        return [];
      }
    });
    const by = typeof author === "string" ? author : (author?.name ?? "");
    return `${name} ${version} (${license}) ${by}\n${texts[0] ?? ""}`.trim();
  }).join("\n\n");
}

const packed = (path) => gzipSync(readFileSync(path), { level: 9 }).toString("base64");
const hashOf = (text) => `'sha256-${createHash("sha256").update(text).digest("base64")}'`;

const [page, worker] = await Promise.all([bundled("main.tsx"), bundled("worker.ts")]);
const style = readFileSync(join(WEB, "src/app/page.css"), "utf8").trim();
const parts = {
  policy: [
    "default-src 'none'",
    "connect-src 'none'",
    `script-src ${hashOf(page.code)} 'wasm-unsafe-eval'`,
    `style-src ${hashOf(style)}`,
    "worker-src blob:",
    "img-src blob: data:",
    "form-action 'none'",
    "base-uri 'none'",
  ].join("; "),
  style,
  script: page.code,
  worker: worker.code,
  runtime: packed(resolve("onnxruntime-web/ort-wasm-simd-threaded.wasm")),
  network: packed(NETWORK),
  licences: licences([...page.packages, ...worker.packages]),
};
for (const [name, text] of Object.entries(parts)) {
  if (/<\/(script|style)|<!--/i.test(text)) throw new Error(`the ${name} holds what ends a block of HTML`);
}
const template = readFileSync(join(WEB, "src/app/page.html"), "utf8");
const html = template.replace(/\{\{(\w+)\}\}/g, (_, name) => parts[name]);
mkdirSync(dirname(OUTPUT), { recursive: true });
writeFileSync(`${OUTPUT}.part`, html);
renameSync(`${OUTPUT}.part`, OUTPUT); // whole or not at all
console.log(`dist/fetal-seg.html: ${(html.length / 1e6).toFixed(1)} MB`);
