/** Measures files one after the other, beside the page, so that it stays alive. */
import * as ort from "onnxruntime-web/wasm";
import { type Frame, InputError, measure, Network, readFrame } from "../core/index";
import { decodePicture } from "./decoding";
import type { Answer, Order } from "./messages";
import { unpacked } from "./payload";
import { LARGEST_FILE_BYTES, pictureOf } from "./pictures";

const THUMBNAIL_PX = 192; // the longer side; shown at half of it
const page = self as unknown as { postMessage(answer: Answer): void; onmessage: (event: MessageEvent<Order>) => void };
let network: Network;

page.onmessage = async ({ data: order }) => {
  page.postMessage(order.kind === "load" ? await load(order) : await measured(order));
};

async function load(order: Order & { kind: "load" }): Promise<Answer> {
  try {
    ort.env.wasm.numThreads = 1; // more need a server's headers
    ort.env.wasm.wasmBinary = await unpacked(order.runtime);
    network = await Network.load(await unpacked(order.network), ort);
    return { kind: "ready", metadata: network.metadata };
  } catch (error) {
    return { kind: "unusable", reason: sentence(error) };
  }
}

async function measured({ id, name, file }: Order & { kind: "measure" }): Promise<Answer> {
  try {
    if (file.size > LARGEST_FILE_BYTES) {
      throw new InputError(`it has ${Math.round(file.size / 1e6)} MB; a page reads files up to ${LARGEST_FILE_BYTES / 1e6} MB; use predict.py`);
    }
    const frame = await readFrame(name, new Uint8Array(await file.arrayBuffer()), decodePicture);
    const prediction = await network.predict(frame.image);
    const measurement = measure(prediction, frame, null, network.metadata);
    const { image, spacing, notes } = frame;
    const facts = { width: image.width, height: image.height, spacing, notes };
    return { kind: "measured", id, facts, prediction, measurement, thumbnail: await thumbnailOf(frame) };
  } catch (error) {
    return { kind: "unreadable", id, reason: sentence(error) };
  }
}

async function thumbnailOf({ image }: Frame): Promise<Blob> {
  const whole = await createImageBitmap(pictureOf(image));
  const scale = Math.min(1, THUMBNAIL_PX / Math.max(image.width, image.height));
  const canvas = new OffscreenCanvas(Math.max(1, Math.round(scale * image.width)), Math.max(1, Math.round(scale * image.height)));
  const context = canvas.getContext("2d")!;
  context.imageSmoothingQuality = "high";
  context.drawImage(whole, 0, 0, canvas.width, canvas.height);
  whole.close();
  return canvas.convertToBlob({ type: "image/jpeg", quality: 0.85 });
}

function sentence(error: unknown): string {
  if (error instanceof InputError) return error.message;
  return `it cannot be read (${error instanceof Error ? error.message : String(error)}); copy or export it again`;
}
