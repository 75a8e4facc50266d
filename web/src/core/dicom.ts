/** Ultrasound images in DICOM files, uncompressed or as baseline JPEG, with the size of their pixels. */
import dicomParser, { type DataSet } from "dicom-parser";
import { dicom as VALUES } from "./constants";
import { displayedGrey } from "./dicom_display";
import { Header } from "./dicom_header";
import { frameCount, jpegValues, plainValues } from "./dicom_pixels";
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
  try {
    return await imageOf(name, bytes, decode);
  } catch (error) {
    if (error instanceof InputError) throw error;
    throw new InputError(`${name}: the DICOM file cannot be read (${oneLine(error)}); copy or export it again`);
  }
}

async function imageOf(name: string, bytes: Uint8Array, decode: PictureDecoder): Promise<DicomImage> {
  const header = parsed(bytes);
  const modality = header.text("Modality").toUpperCase();
  checkContent(name, header, modality);
  const syntax = header.text("TransferSyntaxUID") || guessedSyntax(bytes);
  if (![IMPLICIT_LITTLE, EXPLICIT_LITTLE, EXPLICIT_BIG, JPEG_BASELINE].includes(syntax)) {
    throw new InputError(
      `${name}: nothing here decodes its transfer syntax (${syntax}); it must be uncompressed or baseline JPEG; ` +
        "export it so, or as PNG",
    );
  }
  const spacing = spacingOf(header, modality);
  const [width, height] = [header.number("Columns"), header.number("Rows")];
  try {
    const isJpeg = syntax === JPEG_BASELINE;
    const stored = isJpeg ? await jpegValues(header, decode) : plainValues(header, syntax !== EXPLICIT_BIG);
    return { image: { data: displayedGrey(stored, header), width, height }, spacing };
  } catch (error) {
    throw new InputError(`${name}: its pixels cannot be decoded (${oneLine(error)}); copy or export it again`);
  }
}

/** @throws InputError there is no image, it is not of ultrasound, or it is too large. */
function checkContent(name: string, header: Header, modality: string): void {
  if (!header.has("Rows") || !header.has("Columns") || !header.has("PixelData")) {
    throw new InputError(
      `${name}: the DICOM file holds no image (modality ${modality || "unknown"}); an ultrasound image is needed; ` +
        "take another file",
    );
  }
  if (modality !== "US" && !VALUES.SECONDARY_CAPTURES.includes(modality)) {
    throw new InputError(`${name}: modality ${modality} is not ultrasound; it must be US; take another file`);
  }
  checkSize(name, header.number("Columns"), header.number("Rows"));
}

/** The header, as far as the file goes: whether what is missing is needed is seen later. */
function parsed(bytes: Uint8Array): Header {
  try {
    const syntaxOfOld = hasMark(bytes) ? {} : { TransferSyntaxUID: guessedSyntax(bytes) };
    return new Header(dicomParser.parseDicom(bytes, syntaxOfOld));
  } catch (thrown) {
    const partial = thrown as { readonly dataSet?: DataSet };
    if (partial.dataSet === undefined) throw thrown;
    return new Header(partial.dataSet);
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
