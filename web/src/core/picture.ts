/** PNG and JPEG files as grey images, as `fetal_seg/images/grey.py` reads them. */
import { convertIndexedToRgb, decode as decodePng, type DecodedPng } from "fast-png";
import { grey as LIMITS } from "./constants";
import { InputError, oneLine } from "./errors";
import { greyOfRgba } from "./grey_values";
import { roundHalfEven } from "./rounding";
import type { Grey, PictureDecoder } from "./types";

const PNG_MARK = [0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a];
const JPEG_MARK = [0xff, 0xd8, 0xff];
const REMEDY = "copy or download it again";

export function isPng(bytes: Uint8Array): boolean {
  return PNG_MARK.every((value, index) => bytes[index] === value);
}

export function isJpeg(bytes: Uint8Array): boolean {
  return JPEG_MARK.every((value, index) => bytes[index] === value);
}

/**
 * A PNG: 16 bits of grey are scaled to 8, colours become luma, transparency is laid on black.
 * A browser's decoder would give eight bits of sixteen, and colours that it has changed.
 * @throws InputError it is damaged or too large.
 */
export function readPng(name: string, bytes: Uint8Array): { image: Grey; notes: string[] } {
  const header = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  if (bytes.length >= 24) checkSize(name, header.getUint32(16), header.getUint32(20));
  try {
    const png = decodePng(bytes, { checkCrc: true });
    return { image: greyOfPng(png), notes: isAnimated(header) ? ["only the first of several pages was read"] : [] };
  } catch (error) {
    throw new InputError(`${name}: the image cannot be read (${oneLine(error)}); ${REMEDY}`);
  }
}

/**
 * A JPEG, decoded by `decode`.
 * @throws InputError it is damaged or too large.
 */
export async function readJpeg(name: string, bytes: Uint8Array, decode: PictureDecoder): Promise<Grey> {
  const size = jpegSize(bytes);
  if (size !== null) checkSize(name, size.width, size.height);
  try {
    const { data, width, height } = await decode(bytes, "image/jpeg");
    return greyOfRgba(data, width, height);
  } catch (error) {
    throw new InputError(`${name}: the image cannot be read (${oneLine(error)}); ${REMEDY}`);
  }
}

/** @throws InputError an image has more pixels than can be read. */
export function checkSize(name: string, width: number, height: number): void {
  if (width * height > LIMITS.MOST_PIXELS) {
    throw new InputError(
      `${name}: the image has ${width} x ${height} pixels; at most ${Math.round(LIMITS.MOST_PIXELS / 1e6)} million ` +
        "can be read; crop or scale it first",
    );
  }
}

function greyOfPng(png: DecodedPng): Grey {
  const { width, height, channels, depth } = png;
  if (png.palette) {
    const colours = convertIndexedToRgb(png as Parameters<typeof convertIndexedToRgb>[0]);
    return greyOfChannels(colours, width, height, png.palette[0]?.length ?? 3, null);
  }
  if (channels === 1 && depth === 16) return { data: scaledToByte(png.data), width, height };
  const values = depth < 8 ? unpacked(png) : depth === 16 ? png.data.map((value) => value >> 8) : png.data;
  const most = depth < 8 ? 2 ** depth - 1 : 255;
  const clear = png.transparency ? Array.from(png.transparency) : null;
  return greyOfChannels(values, width, height, channels, clear, 255 / most);
}

/** Grey of 1 (grey), 2 (grey, alpha), 3 (RGB) or 4 (RGBA) channels; pixels of the value `clear` are transparent. */
function greyOfChannels(
  values: ArrayLike<number>,
  width: number,
  height: number,
  channels: number,
  clear: readonly number[] | null,
  scale = 1,
): Grey {
  const rgba = new Uint8Array(4 * width * height);
  for (let pixel = 0; pixel < width * height; pixel++) {
    const at = pixel * channels;
    const [red, green, blue] = channels < 3 ? [at, at, at] : [at, at + 1, at + 2];
    const isClear = clear?.every((value, channel) => values[at + channel] === value) ?? false;
    rgba[4 * pixel] = values[red]! * scale;
    rgba[4 * pixel + 1] = values[green]! * scale;
    rgba[4 * pixel + 2] = values[blue]! * scale;
    rgba[4 * pixel + 3] = isClear ? 0 : channels % 2 === 0 ? values[at + channels - 1]! : 255;
  }
  return greyOfRgba(rgba, width, height);
}

/** Wide whole numbers as 8 bits: they fill the fewest of 8, 10, 12, 14 or 16 bits. */
function scaledToByte(values: ArrayLike<number>): Uint8Array {
  let top = 0;
  for (let index = 0; index < values.length; index++) top = Math.max(top, values[index]!);
  const white = LIMITS.WHITES.find((value) => top <= value) ?? 65535;
  return Uint8Array.from(values, (value) => Math.min(roundHalfEven(value * (255 / white)), 255));
}

/** The values of a grey PNG of fewer than 8 bits, whose rows are filled up to whole bytes. */
function unpacked({ data, width, height, depth }: DecodedPng): Uint8Array {
  const stride = Math.ceil((width * depth) / 8);
  const values = new Uint8Array(width * height);
  for (let y = 0; y < height; y++) {
    for (let x = 0; x < width; x++) {
      const bit = x * depth;
      values[y * width + x] = (data[y * stride + (bit >> 3)]! >> (8 - depth - (bit & 7))) & (2 ** depth - 1);
    }
  }
  return values;
}

/** Whether a PNG says before its pixels that it has several pictures. */
function isAnimated(png: DataView): boolean {
  const kind = (at: number): string => String.fromCharCode(...[4, 5, 6, 7].map((byte) => png.getUint8(at + byte)));
  for (let at = 8; at + 16 <= png.byteLength; at += 12 + png.getUint32(at)) {
    if (kind(at) === "IDAT") return false;
    if (kind(at) === "acTL") return png.getUint32(at + 8) > 1;
  }
  return false;
}

/** The size that a JPEG says it has; null where it does not say it. */
function jpegSize(bytes: Uint8Array): { width: number; height: number } | null {
  const two = (at: number): number => (bytes[at]! << 8) | bytes[at + 1]!;
  for (let at = 2; at + 9 < bytes.length && bytes[at] === 0xff; at += 2 + two(at + 2)) {
    const marker = bytes[at + 1]!;
    const isFrame = marker >= 0xc0 && marker <= 0xcf && ![0xc4, 0xc8, 0xcc].includes(marker);
    if (isFrame) return { height: two(at + 5), width: two(at + 7) };
  }
  return null;
}
