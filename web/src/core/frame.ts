/** Files as frames: one image each, with what the file says of the size of its pixels. */
import { isDicom, readDicom } from "./dicom";
import { spacingAt } from "./dicom_spacing";
import { InputError } from "./errors";
import { isJpeg, isPng, readJpeg, readPng } from "./picture";
import type { Frame, Grey, PictureDecoder } from "./types";

/**
 * Reads a PNG, JPEG or DICOM file (uncompressed, or baseline JPEG); pictures are known by their first bytes.
 * PNG is decoded here, exactly; `decode` is asked for JPEG alone.
 * @throws InputError one sentence why it cannot be read.
 */
export async function readFrame(name: string, bytes: Uint8Array, decode: PictureDecoder): Promise<Frame> {
  if (bytes.length === 0) throw new InputError(`${name}: the image cannot be read (it is empty); copy it again`);
  if (isPng(bytes)) {
    const { image, notes } = readPng(name, bytes);
    return pictureFrame(name, image, notes);
  }
  if (isJpeg(bytes)) return pictureFrame(name, await readJpeg(name, bytes, decode), []);
  if (!isDicom(name, bytes)) throw new InputError(`${name}: it is no PNG, JPEG or DICOM file; save it as PNG`);
  const { image, spacing: file } = await readDicom(name, bytes, decode);
  return {
    name,
    image,
    spacing: file.spacing,
    notes: file.notes,
    spacingAt: (x, y) => spacingAt(file, x, y),
  };
}

function pictureFrame(name: string, image: Grey, notes: readonly string[]): Frame {
  return { name, image, spacing: null, notes, spacingAt: () => null };
}
