/** Grey images as a browser draws them. */
import type { Grey } from "../core/index";

/** Larger ones are no single images, and would fill the memory of a phone. */
export const LARGEST_FILE_BYTES = 256_000_000;

/** The image in the form that a canvas takes. */
export function pictureOf(image: Grey): ImageData {
  const rgba = new Uint8ClampedArray(4 * image.data.length);
  for (let index = 0; index < image.data.length; index++) {
    rgba.fill(image.data[index]!, 4 * index, 4 * index + 3);
    rgba[4 * index + 3] = 255;
  }
  return new ImageData(rgba, image.width, image.height);
}
