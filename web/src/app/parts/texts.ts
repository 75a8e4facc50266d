/** Numbers as the page shows them. */
import type { Measurement } from "../../core/index";

/** `175.3 mm`, or in pixels where their size is not known. */
export function circumferenceText({ hcMm, hcPx }: Measurement): string {
  if (hcMm !== null) return millimetres(hcMm);
  return hcPx === null ? "" : `${hcPx.toFixed(0)} px`;
}

/** `171.2 to 179.4`, mm; null without an interval. */
export function intervalText({ hcLowMm, hcHighMm }: Measurement): string | null {
  return hcLowMm === null || hcHighMm === null ? null : `${hcLowMm.toFixed(1)} to ${hcHighMm.toFixed(1)}`;
}

export function millimetres(value: number | null): string {
  return value === null ? "" : `${value.toFixed(1)} mm`;
}
