/** Stored values of DICOM pixels as the grey values that a viewer shows: `fetal_seg/images/dicom_display.py`. */
import type { Header } from "./dicom_header";
import { luma } from "./grey_values";
import { roundHalfEven } from "./rounding";

/** Values, and those that mean black and white. */
interface Shown {
  readonly values: Float64Array;
  readonly black: number;
  readonly white: number;
}

interface Table {
  readonly first: number;
  readonly entries: readonly number[];
  readonly white: number;
}

/**
 * Stored values, pixel by pixel, as grey values of 0 to 255: colours become luma, monochrome is shown as its modality
 * and VOI tables or its window say, else scaled from the bits stored; MONOCHROME1 is inverted.
 * @throws RangeError the photometric interpretation is not known.
 */
export function displayedGrey(stored: Float64Array, header: Header): Uint8Array {
  const kind = header.text("PhotometricInterpretation");
  if (kind === "RGB" || kind === "YBR_FULL" || kind === "YBR_FULL_422") {
    const colours = scaled({ values: stored, black: 0, white: 2 ** header.number("BitsStored") - 1 });
    return Uint8Array.from({ length: stored.length / 3 }, (_, pixel) =>
      luma(colours[3 * pixel]!, colours[3 * pixel + 1]!, colours[3 * pixel + 2]!),
    );
  }
  if (kind === "PALETTE COLOR") {
    const [red, green, blue] = [paletteOf(header, "Red"), paletteOf(header, "Green"), paletteOf(header, "Blue")];
    return Uint8Array.from(stored, (value) => luma(entryOf(red, value), entryOf(green, value), entryOf(blue, value)));
  }
  if (kind !== "MONOCHROME1" && kind !== "MONOCHROME2") {
    throw new RangeError(`photometric interpretation ${kind} is not known`);
  }
  const grey = scaled(displayed(stored, header));
  return kind === "MONOCHROME1" ? grey.map((value) => 255 - value) : grey;
}

/** Monochrome values as they are meant to be seen. */
function displayed(stored: Float64Array, header: Header): Shown {
  const modality = modalityValues(stored, header);
  const table = tableOf(header, "VOILUTSequence");
  if (table) return { values: lookedUp(modality.values, table), black: 0, white: table.white };
  return windowed(modality, header) ?? { ...modality, ...inOrder(modality.black, modality.white) };
}

/** Stored values by the modality table, or rescaled. */
function modalityValues(stored: Float64Array, header: Header): Shown {
  const table = tableOf(header, "ModalityLUTSequence");
  if (table) return { values: lookedUp(stored, table), black: 0, white: table.white };
  const bits = header.number("BitsStored");
  const isSigned = header.number("PixelRepresentation") === 1;
  const [black, white] = isSigned ? [-(2 ** (bits - 1)), 2 ** (bits - 1) - 1] : [0, 2 ** bits - 1];
  const [slope, intercept] = [header.numbers("RescaleSlope")[0], header.numbers("RescaleIntercept")[0]];
  if (slope === undefined || intercept === undefined) return { values: stored, black, white };
  return {
    values: stored.map((value) => value * slope + intercept),
    black: black * slope + intercept,
    white: white * slope + intercept,
  };
}

/** Values within the window of the header (DICOM PS3.3 C.11.2); null where it has none that can be used. */
function windowed({ values, black, white }: Shown, header: Header): Shown | null {
  const [statedCenter, statedWidth] = [header.numbers("WindowCenter")[0], header.numbers("WindowWidth")[0]];
  if (statedCenter === undefined || statedWidth === undefined) return null;
  const kind = header.text("VOILUTFunction").toUpperCase() || "LINEAR";
  const isKnown = ["LINEAR", "LINEAR_EXACT", "SIGMOID"].includes(kind);
  const [center, width] = kind === "LINEAR" ? [statedCenter - 0.5, statedWidth - 1] : [statedCenter, statedWidth];
  if (!isKnown || (kind === "LINEAR" ? statedWidth < 1 : statedWidth <= 0)) return null;
  const extent = white - black;
  const shown = values.map((value) => {
    if (kind === "SIGMOID") return extent / (1 + Math.exp((-4 * (value - center)) / width)) + black;
    if (value <= center - width / 2) return black;
    return value > center + width / 2 ? white : ((value - center) / width + 0.5) * extent + black;
  });
  return { values: shown, black, white };
}

/** The table of the first item of a sequence; null where there is none. */
function tableOf(header: Header, sequence: "ModalityLUTSequence" | "VOILUTSequence"): Table | null {
  const item = header.items(sequence)[0];
  if (item === undefined) return null;
  const [count, first, bits] = item.numbers("LUTDescriptor");
  if (count === undefined || first === undefined || bits === undefined) throw new RangeError(`${sequence} is damaged`);
  // Implicit files do not say whether the first value is signed
  const isNegative = header.number("PixelRepresentation") === 1 && first >= 2 ** 15;
  const entries = item.numbers("LUTData").slice(0, count || 2 ** 16);
  if (entries.length === 0) throw new RangeError(`${sequence} has no entries`);
  return { first: isNegative ? first - 2 ** 16 : first, entries, white: 2 ** bits - 1 };
}

/** The table of one colour, as 8 bits. */
function paletteOf(header: Header, colour: "Red" | "Green" | "Blue"): Table {
  const [count, first, bits] = header.numbers(`${colour}PaletteColorLookupTableDescriptor`);
  if (count === undefined || first === undefined || bits === undefined) {
    throw new RangeError(`it has no palette of ${colour.toLowerCase()}`);
  }
  const data = `${colour}PaletteColorLookupTableData` as const;
  const words = header.numbers(data);
  const entries = words.length < (count || 2 ** 16) ? Array.from(header.bytes(data)) : words; // a byte or two an entry
  return { first, entries: entries.map((value) => (bits > 8 ? value >> 8 : value & 255)), white: 255 };
}

function lookedUp(values: Float64Array, table: Table): Float64Array {
  return values.map((value) => entryOf(table, value));
}

function entryOf({ first, entries }: Table, value: number): number {
  return entries[Math.min(Math.max(Math.trunc(value - first), 0), entries.length - 1)]!;
}

function inOrder(black: number, white: number): { black: number; white: number } {
  return { black: Math.min(black, white), white: Math.max(black, white) };
}

/** From black to white as 0 to 255. */
function scaled({ values, black, white }: Shown): Uint8Array {
  const step = 255 / (white - black);
  return Uint8Array.from(values, (value) => Math.min(Math.max(roundHalfEven((value - black) * step), 0), 255));
}
