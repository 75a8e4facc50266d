/** How large the pixels of a DICOM file are, by its header: `fetal_seg/images/dicom_spacing.py`. */
import { dicom_spacing as VALUES } from "./constants";
import type { Attribute, Header } from "./dicom_header";
import { general } from "./rounding";
import type { Spacing } from "./types";

/** A part of the image that shows tissue in two dimensions: whole pixels, all four sides inclusive. */
export interface Region {
  readonly left: number;
  readonly top: number;
  readonly right: number;
  readonly bottom: number;
  readonly spacing: Spacing;
}

/** What a header says of the size of pixels. */
export interface FileSpacing {
  /** The size wherever no region says otherwise; null where the header has none, or where its regions disagree. */
  readonly spacing: Spacing | null;
  readonly regions: readonly Region[];
  /** What was not used or is in doubt. */
  readonly notes: readonly string[];
}

/** The size of pixels: of regions of 2D tissue first, in their own units, then of the whole image. */
export function readSpacing(header: Header): FileSpacing {
  const regions: Region[] = [];
  const notes: string[] = [];
  const items = header.items("SequenceOfUltrasoundRegions");
  items.forEach((item, index) => {
    const { region, problem } = regionOf(item, header.number("Columns"), header.number("Rows"));
    if (region) regions.push(region);
    if (problem) notes.push(`region ${index + 1} of the file ${problem}`);
  });
  if (regions.length > 0) {
    const distinct = new Set(regions.map(({ spacing }) => JSON.stringify(spacing)));
    return { spacing: distinct.size === 1 ? regions[0]!.spacing : null, regions, notes };
  }
  const { spacing, problems } = imageSpacing(header);
  notes.push(...problems);
  if (items.length > 0 && spacing === null) notes.push("no region of the file tells the size of its pixels");
  return { spacing, regions, notes };
}

/** The size of a pixel at a point of the image (px): that of the smallest region that holds it, if any does. */
export function spacingAt(file: FileSpacing, x: number, y: number): Spacing | null {
  const around = file.regions.filter(
    ({ left, top, right, bottom }) => left - 0.5 <= x && x < right + 0.5 && top - 0.5 <= y && y < bottom + 0.5,
  );
  const areaOf = ({ left, top, right, bottom }: Region): number => (right - left + 1) * (bottom - top + 1);
  around.sort((one, other) => areaOf(one) - areaOf(other));
  return around[0]?.spacing ?? file.spacing;
}

/** A region that can be measured in, and what is to be said of it. */
function regionOf(item: Header, width: number, height: number): { region?: Region; problem?: string } {
  const units = [item.number("PhysicalUnitsXDirection", 0), item.number("PhysicalUnitsYDirection", 0)];
  const dataType = item.number("RegionDataType", 0);
  if (units.some((unit) => unit !== VALUES.CENTIMETRES)) {
    const known: Readonly<Record<string, string>> = VALUES.UNITS;
    const names = new Set(units.map((unit) => known[unit] ?? "unknown"));
    return { problem: `is calibrated in other units (${[...names].join(", ")}), not used` };
  }
  if (dataType !== VALUES.TISSUE || item.number("RegionSpatialFormat", 0) !== VALUES.TWO_D) {
    const known: Readonly<Record<string, string>> = VALUES.DATA_TYPES;
    return { problem: `shows ${known[dataType] ?? "something else"}, not 2D tissue, not used` };
  }
  const xMm = 10 * Math.abs(item.number("PhysicalDeltaX"));
  const yMm = 10 * Math.abs(item.number("PhysicalDeltaY"));
  if (!isPlausible(xMm) || !isPlausible(yMm)) {
    return { problem: `has an impossible pixel size (${general(xMm, 3)} x ${general(yMm, 3)} mm), not used` };
  }
  return insideImage(item, width, height, { xMm, yMm, source: "dicom region" });
}

/** The region within the image. One that reaches farther was made for another image, of which this is a copy. */
function insideImage(
  item: Header,
  width: number,
  height: number,
  spacing: Spacing,
): { region?: Region; problem?: string } {
  const right = item.number("RegionLocationMaxX1", width - 1);
  const bottom = item.number("RegionLocationMaxY1", height - 1);
  const region: Region = {
    left: Math.max(item.number("RegionLocationMinX0", 0), 0),
    top: Math.max(item.number("RegionLocationMinY0", 0), 0),
    right: Math.min(right, width - 1),
    bottom: Math.min(bottom, height - 1),
    spacing,
  };
  if (region.left > region.right || region.top > region.bottom) {
    return { problem: "lies outside the image, not used" };
  }
  if (right > width || bottom > height) {
    // the last pixel or the one behind it: makers differ
    return {
      region: { ...region, spacing: { ...spacing, isDoubtful: true } },
      problem:
        `reaches beyond the image (${right} x ${bottom} of ${width} x ${height} px): it may have been made smaller ` +
        "or cut, check the pixel size",
    };
  }
  return { region };
}

/** The first plausible spacing of the whole image, and what is wrong with those before it. */
function imageSpacing(header: Header): { spacing: Spacing | null; problems: string[] } {
  const problems: string[] = [];
  for (const [keyword, source] of Object.entries(VALUES.SPACINGS)) {
    const read = header.numbers(keyword as Attribute);
    const values = read.some(Number.isNaN) ? [NaN] : read; // one that is no number spoils all, as in Python
    if (values.length === 0) continue;
    const [yMm, xMm] = values; // that of rows, along y, is first
    if (values.length === 2 && isPlausible(xMm!) && isPlausible(yMm!)) {
      return { spacing: { xMm: xMm!, yMm: yMm!, source }, problems };
    }
    const sizes = values.map((value) => general(value, 3)).join(" x ");
    problems.push(`${keyword} is impossible (${sizes} mm), not used`);
  }
  return { spacing: null, problems };
}

function isPlausible(sizeMm: number): boolean {
  return VALUES.SMALLEST_PIXEL_MM <= sizeMm && sizeMm <= VALUES.LARGEST_PIXEL_MM; // never true of NaN
}
