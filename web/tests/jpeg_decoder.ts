/** Decodes JPEG in Node, where there is no browser to do it. */
import { decode } from "jpeg-js";
import type { PictureDecoder } from "../src/core";

export const decodeJpeg: PictureDecoder = async (bytes) => {
  const { data, width, height } = decode(bytes, { useTArray: true, formatAsRGBA: true });
  return { data: new Uint8ClampedArray(data.buffer), width, height };
};
