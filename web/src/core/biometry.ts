/** From the ellipse of a head in mm to its biometry. For research use; not a medical device. */
import { biometry as VALUES, range } from "./constants";
import { circumference } from "./ellipse";
import { roundHalfEven } from "./rounding";
import type { Ellipse } from "./types";

/** Lengths, mm, area, mm^2, and ages, weeks, which are null out of the range of their source. */
export interface Biometry {
  readonly hcMm: number;
  readonly bpdMm: number;
  readonly ofdMm: number;
  readonly areaMm2: number;
  readonly cephalicIndexPercent: number;
  readonly gaIntergrowthWeeks: number | null;
  readonly gaHadlockWeeks: number | null;
}

/** The biometry of an ellipse in mm: the diameters are outer to outer, the short and the long axis. */
export function biometryOf(ellipseMm: Ellipse): Biometry {
  const hcMm = circumference(ellipseMm);
  return {
    hcMm,
    bpdMm: 2 * ellipseMm.semiAxisB,
    ofdMm: 2 * ellipseMm.semiAxisA,
    areaMm2: Math.PI * ellipseMm.semiAxisA * ellipseMm.semiAxisB,
    cephalicIndexPercent: 100 * (ellipseMm.semiAxisB / ellipseMm.semiAxisA),
    gaIntergrowthWeeks: isWithin(hcMm, VALUES.INTERGROWTH.hc_mm) ? intergrowthWeeks(hcMm) : null,
    gaHadlockWeeks: isWithin(hcMm, VALUES.HADLOCK.hc_mm) ? hadlockWeeks(hcMm) : null,
  };
}

/** An age in weeks and days, to the nearest day: `21 w 3 d`; `out of range` for null. */
export function ageText(weeks: number | null): string {
  if (weeks === null) return VALUES.OUT_OF_RANGE;
  const days = roundHalfEven(7 * weeks);
  return `${Math.floor(days / 7)} w ${days % 7} d`;
}

/** 1 below 14 weeks, 2 from then on, 3 from 28 weeks on, by the head circumference in mm. */
export function trimester(hcMm: number): number {
  return 1 + VALUES.TRIMESTER_LIMITS_MM.filter((limit) => hcMm >= limit).length;
}

/** A. T. Papageorghiou et al., Ultrasound Obstet Gynecol 2016;48:719. */
function intergrowthWeeks(hcMm: number): number {
  const [ofLog, ofCube, constant] = VALUES.INTERGROWTH_COEFFICIENTS as [number, number, number];
  return Math.exp(ofLog * Math.log(hcMm) ** 2 + ofCube * hcMm ** 3 + constant) / 7;
}

/** F. P. Hadlock et al., Radiology 1984;152:497. */
function hadlockWeeks(hcMm: number): number {
  const [constant, ofLength, ofCube] = VALUES.HADLOCK_COEFFICIENTS as [number, number, number];
  const hcCm = hcMm / 10;
  return constant + ofLength * hcCm + ofCube * hcCm ** 3;
}

function isWithin(hcMm: number, limits: readonly number[]): boolean {
  const [lowest, highest] = range(limits);
  return lowest <= hcMm && hcMm <= highest;
}
