/** The table of results as CSV, with the columns of `predictions.csv`. */
import { biometry, tables } from "./constants";
import { general } from "./rounding";
import type { CsvRow } from "./types";

type Cell = string | number | readonly string[] | null | undefined;

/**
 * The table, a row an image. Numbers have six significant digits, an unknown value is empty, reasons are joined with
 * "; ", and text that a spreadsheet would take for a formula has an apostrophe before it.
 */
export function csvOf(rows: readonly CsvRow[]): string {
  const lines = rows.map((row) => {
    const cells = cellsOf(row);
    return tables.PREDICTION_COLUMNS.map((column) => textOf(cells[column]));
  });
  return [tables.PREDICTION_COLUMNS, ...lines].map((cells) => `${cells.map(quoted).join(",")}\n`).join("");
}

/** The values of a row by the columns that the page can fill in. */
function cellsOf({ file, measurement }: CsvRow): Record<string, Cell> {
  const { ellipse, spacing } = measurement;
  const isMeasured = measurement.hcMm !== null;
  const isRead = measurement.flag !== "error";
  return {
    file: printable(file),
    center_x_px: ellipse?.centerX,
    center_y_px: ellipse?.centerY,
    semi_axis_a_px: ellipse?.semiAxisA,
    semi_axis_b_px: ellipse?.semiAxisB,
    angle_rad: ellipse?.angle,
    pixel_size_mm: spacing?.xMm,
    hc_mm: measurement.hcMm,
    flag: measurement.flag,
    reasons: measurement.reasons.map(printable),
    width_px: isRead ? String(measurement.widthPx) : null,
    height_px: isRead ? String(measurement.heightPx) : null,
    pixel_size_y_mm: spacing?.yMm,
    pixel_size_source: spacing?.source,
    hc_px: measurement.hcPx,
    hc_low_mm: measurement.hcLowMm,
    hc_high_mm: measurement.hcHighMm,
    bpd_mm: measurement.bpdMm,
    ofd_mm: measurement.ofdMm,
    area_mm2: measurement.areaMm2,
    cephalic_index: measurement.cephalicIndexPercent,
    ga_intergrowth_weeks: measurement.gaIntergrowthWeeks ?? (isMeasured ? biometry.OUT_OF_RANGE : null),
    ga_hadlock_weeks: measurement.gaHadlockWeeks ?? (isMeasured ? biometry.OUT_OF_RANGE : null),
    confidence: measurement.confidence,
    head_probability: measurement.headProbability,
  };
}

function textOf(value: Cell): string {
  if (value === null || value === undefined) return "";
  if (typeof value === "number") return Number.isNaN(value) ? "" : general(value);
  const text = typeof value === "string" ? value : value.join("; ");
  const looksLikeFormula = tables.FORMULAS.some((sign) => text.startsWith(sign));
  return looksLikeFormula && !isNumber(text) ? `'${text}` : text;
}

function isNumber(text: string): boolean {
  return text.trim() !== "" && Number.isFinite(Number(text));
}

/** Text without control characters, which would steer a terminal. */
function printable(text: string): string {
  return text.replace(/\p{Cc}/gu, (sign) => `\\x${sign.charCodeAt(0).toString(16).padStart(2, "0")}`);
}

/** A cell as Python's `csv` module writes it. */
function quoted(text: string): string {
  return /[",\r\n]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text;
}
