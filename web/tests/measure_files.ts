/**
 * Measures files in Node as the page measures them in a browser, and prints the table:
 *
 *     npx tsx tests/measure_files.ts NETWORK.onnx [--sizes SIZES.json] FILE...
 *
 * SIZES.json has the sides of pixels, mm, by file names. Files are called by their last name, as predict.py calls them.
 */
import { readFile } from "node:fs/promises";
import { basename } from "node:path";
import { parseArgs } from "node:util";
import * as runtime from "onnxruntime-web";
import { type CsvRow, csvOf, InputError, measure, Network, readFrame, unread } from "../src/core";
import { decodeJpeg } from "./jpeg_decoder";

const { values, positionals } = parseArgs({ options: { sizes: { type: "string" } }, allowPositionals: true });
const [model, ...files] = positionals;
if (model === undefined) throw new Error("give the network, then files");

runtime.env.wasm.numThreads = 1;
const network = await Network.load(new Uint8Array(await readFile(model)), runtime);
const sizes = values.sizes ? (JSON.parse(await readFile(values.sizes, "utf8")) as Record<string, number>) : {};

async function row(path: string): Promise<CsvRow> {
  const file = basename(path);
  try {
    const frame = await readFrame(file, new Uint8Array(await readFile(path)), decodeJpeg);
    const size = sizes[file];
    const given = size === undefined ? null : { xMm: size, yMm: size, source: "csv" };
    return { file, measurement: measure(await network.predict(frame.image), frame, given, network.metadata) };
  } catch (error) {
    if (!(error instanceof InputError)) throw error;
    return { file, measurement: unread(error.message) };
  }
}

const rows: CsvRow[] = [];
for (const file of files) rows.push(await row(file));
process.stdout.write(csvOf(rows));
