/** The stored values of the first frame of a DICOM file. */
import dicomParser from "dicom-parser";
import type { Header } from "./dicom_header";
import type { PictureDecoder } from "./types";

export function frameCount(header: Header): number {
  return Math.max(header.number("NumberOfFrames", 1), 1);
}

/** Of uncompressed pixels: pixel by pixel, colours as RGB. */
export function plainValues(header: Header, isLittleEndian: boolean): Float64Array {
  const kind = header.text("PhotometricInterpretation");
  const isHalved = kind === "YBR_FULL_422"; // two pixels share their colour differences
  const [samples, bits] = [header.number("SamplesPerPixel", 1), header.number("BitsAllocated")];
  if (![8, 16].includes(bits) || ![1, 3].includes(samples) || (isHalved && bits !== 8)) {
    throw new RangeError(`${samples} samples of ${bits} bits a pixel; it must be 1 or 3 of 8 or 16`);
  }
  const pixels = header.number("Rows") * header.number("Columns");
  const view = heldPixels(header, (isHalved ? 2 : samples) * pixels * (bits / 8));
  const unused = 32 - header.number("BitsStored", bits);
  const isSigned = header.number("PixelRepresentation") === 1;
  const isPlanar = samples > 1 && header.number("PlanarConfiguration") === 1;
  const values = new Float64Array(samples * pixels);
  for (let index = 0; index < values.length; index++) {
    const [pixel, sample] = [Math.floor(index / samples), index % samples];
    const plain = isPlanar ? sample * pixels + pixel : index;
    const at = isHalved ? 4 * (pixel >> 1) + (sample === 0 ? pixel & 1 : sample + 1) : plain;
    const raw = bits === 8 ? view.getUint8(at) : view.getUint16(2 * at, isLittleEndian);
    const moved = raw << unused; // without bits that are not stored
    values[index] = isSigned ? moved >> unused : moved >>> unused;
  }
  return kind === "YBR_FULL" || isHalved ? rgbOfYbr(values) : values;
}

/** The bytes of the first frame. */
function heldPixels(header: Header, size: number): DataView {
  const { dataOffset, length } = header.element("PixelData")!;
  const { buffer, byteOffset, byteLength } = header.data.byteArray;
  const held = Math.min(length, byteLength - dataOffset);
  if (held < size) throw new RangeError(`the pixel data is too short: it holds 0 of ${frameCount(header)} frames`);
  return new DataView(buffer, byteOffset + dataOffset, size);
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

/** Of baseline JPEG, as its decoder gives them: grey, or RGB pixel by pixel. */
export async function jpegValues(header: Header, decode: PictureDecoder): Promise<Float64Array> {
  const element = header.element("PixelData")!;
  const fragments = element.fragments ?? [];
  if (fragments.length === 0) throw new RangeError("it holds no JPEG");
  const offsets = element.basicOffsetTable?.length ? element.basicOffsetTable : undefined;
  const content =
    frameCount(header) === 1
      ? dicomParser.readEncapsulatedPixelDataFromFragments(header.data, element, 0, fragments.length)
      : dicomParser.readEncapsulatedImageFrame(
          header.data,
          element,
          0,
          offsets ?? dicomParser.createJPEGBasicOffsetTable(header.data, element),
        );
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
