/** Ultrasound images in DICOM files, uncompressed or as baseline JPEG, with the size of their pixels. */
import dicomParser from "dicom-parser";
import { dicom as VALUES } from "./constants";
import { displayedGrey } from "./dicom_display";
import { Header } from "./dicom_header";
import { type FileSpacing, readSpacing } from "./dicom_spacing";
import { InputError, oneLine } from "./errors";
import { checkSize } from "./picture";
import type { Grey, PictureDecoder } from "./types";

const IMPLICIT_LITTLE = "1.2.840.10008.1.2";
const EXPLICIT_LITTLE = "1.2.840.10008.1.2.1";
const EXPLICIT_BIG = "1.2.840.10008.1.2.2";
const JPEG_BASELINE = "1.2.840.10008.1.2.4.50";

/** What a DICOM file holds. */
export interface DicomImage {
  readonly image: Grey;
  readonly spacing: FileSpacing;
}

/** Whether a file is read as DICOM: by its mark, or by its suffix where that is missing, as in old files. */
export function isDicom(name: string, bytes: Uint8Array): boolean {
  return hasMark(bytes) || VALUES.SUFFIXES.some((suffix) => name.toLowerCase().endsWith(suffix));
}

/**
 * The first image of a file, in grey as a viewer shows it.
 * @throws InputError it holds no image or none of ultrasound, is damaged, or is encoded in another way.
 */
export async function readDicom(name: string, bytes: Uint8Array, decode: PictureDecoder): Promise<DicomImage> {
  const header = parsed(name, bytes);
  const modality = header.text("Modality").toUpperCase();
  if (!header.has("Rows") || !header.has("Columns") || !header.has("PixelData")) {
    throw new InputError(
      `${name}: the DICOM file holds no image (modality ${modality || "unknown"}); an ultrasound image is needed; ` +
        "take another file",
    );
  }
  if (modality !== "US" && !VALUES.SECONDARY_CAPTURES.includes(modality)) {
    throw new InputError(`${name}: modality ${modality} is not ultrasound; it must be US; take another file`);
  }
  const [width, height] = [header.number("Columns"), header.number("Rows")];
  checkSize(name, width, height);
  const syntax = header.text("TransferSyntaxUID") || guessedSyntax(bytes);
  if (![IMPLICIT_LITTLE, EXPLICIT_LITTLE, EXPLICIT_BIG, JPEG_BASELINE].includes(syntax)) {
    throw new InputError(
      `${name}: nothing here decodes its transfer syntax (${syntax}); it must be uncompressed or baseline JPEG; ` +
        "export it so, or as PNG",
    );
  }
  try {
    const stored = syntax === JPEG_BASELINE ? await jpegValues(header, decode) : plainValues(header, syntax);
    return { image: { data: displayedGrey(stored, header), width, height }, spacing: spacingOf(header, modality) };
  } catch (error) {
    throw new InputError(`${name}: its pixels cannot be decoded (${oneLine(error)}); copy or export it again`);
  }
}

function parsed(name: string, bytes: Uint8Array): Header {
  try {
    return new Header(dicomParser.parseDicom(bytes, hasMark(bytes) ? {} : { TransferSyntaxUID: guessedSyntax(bytes) }));
  } catch (error) {
    throw new InputError(`${name}: the DICOM file cannot be read (${oneLine(error)}); copy or export it again`);
  }
}

function hasMark(bytes: Uint8Array): boolean {
  const start = VALUES.MAGIC_OFFSET;
  return String.fromCharCode(...bytes.subarray(start, start + 4)) === "DICM";
}

/** Of a file that does not say it: explicit where two capital letters follow the first tag. */
function guessedSyntax(bytes: Uint8Array): string {
  return [4, 5].every((at) => bytes[at]! >= 65 && bytes[at]! <= 90) ? EXPLICIT_LITTLE : IMPLICIT_LITTLE;
}

function spacingOf(header: Header, modality: string): FileSpacing {
  const read = readSpacing(header);
  const notes = [
    ...(modality === "US" ? [] : [`its modality is ${modality || "unknown"}, not US`]),
    ...read.notes,
    ...(frameCount(header) > 1 ? ["only the first frame was read"] : []),
  ];
  return { ...read, notes };
}

function frameCount(header: Header): number {
  return Math.max(header.number("NumberOfFrames", 1), 1);
}

/** The stored values of the first frame of uncompressed pixels: pixel by pixel, colours as RGB. */
function plainValues(header: Header, syntax: string): Float64Array {
  const samples = header.number("SamplesPerPixel", 1);
  const bits = header.number("BitsAllocated");
  const pixels = header.number("Rows") * header.number("Columns");
  const count = samples * pixels;
  const { dataOffset, length } = header.element("PixelData")!;
  if (![8, 16].includes(bits) || ![1, 3].includes(samples)) {
    throw new RangeError(`${samples} samples of ${bits} bits a pixel; it must be 1 or 3 of 8 or 16`);
  }
  const { buffer, byteOffset, byteLength } = header.data.byteArray;
  const size = bits / 8;
  const held = Math.min(length, byteLength - dataOffset);
  const frames = frameCount(header);
  if (held < count * size) {
    const whole = Math.floor(held / (count * size));
    throw new RangeError(`the pixel data is too short: it holds ${whole} of ${frames} frames`);
  }
  const view = new DataView(buffer, byteOffset + dataOffset, held);
  const unused = 32 - header.number("BitsStored", bits);
  const isSigned = header.number("PixelRepresentation") === 1;
  const isPlanar = samples > 1 && header.number("PlanarConfiguration") === 1;
  const values = new Float64Array(count);
  for (let index = 0; index < count; index++) {
    const at = isPlanar ? (index % samples) * pixels + Math.floor(index / samples) : index;
    const raw = size === 1 ? view.getUint8(at) : view.getUint16(2 * at, syntax !== EXPLICIT_BIG);
    values[index] = isSigned ? (raw << unused) >> unused : (raw << unused) >>> unused; // without bits that are not stored
  }
  return header.text("PhotometricInterpretation") === "YBR_FULL" ? rgbOfYbr(values) : values;
}

/** RGB of luminance and colour differences of 8 bits (DICOM PS3.3 C.7.6.3.1.2), rounded as pydicom does it. */
function rgbOfYbr(values: Float64Array): Float64Array {
  const whole = (value: number): number => Math.min(Math.max(Math.floor(value + 0.5), 0), 255);
  const rgb = new Float64Array(values.length);
  for (let at = 0; at < values.length; at += 3) {
    const [y, blue, red] = [values[at]!, values[at + 1]! - 128, values[at + 2]! - 128];
    rgb[at] = whole(y + 1.402 * red);
    rgb[at + 1] = whole(y - ((0.114 * 1.772) / 0.587) * blue - ((0.299 * 1.402) / 0.587) * red);
    rgb[at + 2] = whole(y + 1.772 * blue);
  }
  return rgb;
}

/** The values of the first frame of baseline JPEG, as its decoder gives them: grey, or RGB pixel by pixel. */
async function jpegValues(header: Header, decode: PictureDecoder): Promise<Float64Array> {
  const element = header.element("PixelData")!;
  const fragments = element.fragments ?? [];
  if (fragments.length === 0) throw new RangeError("it holds no JPEG");
  const offsets = element.basicOffsetTable?.length ? element.basicOffsetTable : null;
  const content =
    frameCount(header) === 1
      ? dicomParser.readEncapsulatedPixelDataFromFragments(header.data, element, 0, fragments.length)
      : dicomParser.readEncapsulatedImageFrame(header.data, element, 0, offsets ?? dicomParser.createJPEGBasicOffsetTable(header.data, element));
  const { data, width, height } = await decode(Uint8Array.from(content), "image/jpeg");
  if (width !== header.number("Columns") || height !== header.number("Rows")) {
    throw new RangeError(`the JPEG has ${width} x ${height} px, the header says otherwise`);
  }
  const samples = header.number("SamplesPerPixel", 1);
  const values = new Float64Array(samples * width * height);
  for (let index = 0; index < values.length; index++) {
    values[index] = data[4 * Math.floor(index / samples) + (index % samples)]!;
  }
  return values;
}
