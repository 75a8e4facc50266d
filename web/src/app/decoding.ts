/** Decodes JPEG by the browser, without colour management; on the page and in its worker alike. */
import { InputError, type Picture } from "../core/index";

/** @throws InputError the bytes are no such picture, or this browser changes the pixels that a page reads. */
export async function decodePicture(bytes: Uint8Array, mime: string): Promise<Picture> {
  if (!readsTruePixels()) {
    throw new InputError("this browser hides the true pixels of JPEG pictures from pages; allow canvas data, or use PNG");
  }
  const blob = new Blob([new Uint8Array(bytes)], { type: mime });
  const bitmap = await createImageBitmap(blob, { colorSpaceConversion: "none", imageOrientation: "from-image" });
  try {
    const context = contextOf(bitmap.width, bitmap.height);
    context.drawImage(bitmap, 0, 0);
    const { data } = context.getImageData(0, 0, bitmap.width, bitmap.height);
    return { data: new Uint8ClampedArray(data), width: bitmap.width, height: bitmap.height };
  } finally {
    bitmap.close();
  }
}

/** Browsers that guard against fingerprints add noise to what is read from a canvas. */
function readsTruePixels(): boolean {
  const context = contextOf(16, 16);
  const image = context.createImageData(16, 16);
  for (let index = 0; index < image.data.length; index++) image.data[index] = index % 4 === 3 ? 255 : (index * 7) % 256;
  context.putImageData(image, 0, 0);
  const read = context.getImageData(0, 0, 16, 16).data;
  return read.every((value, index) => value === image.data[index]);
}

function contextOf(width: number, height: number): OffscreenCanvasRenderingContext2D {
  const context = new OffscreenCanvas(width, height).getContext("2d", { willReadFrequently: true });
  if (!context) throw new InputError("this browser gives no canvas to decode pictures; use a newer one");
  return context;
}
