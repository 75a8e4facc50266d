import { expect, test } from "vitest";
import { ageText, biometryOf } from "../../src/core/biometry";
import { halfWidth, isLargeErrorLikely } from "../../src/core/conformal";
import { scaled } from "../../src/core/ellipse";
import { ellipseOf, reference } from "./reference";

test("lengths, area and ages are those of Python", () => {
  for (const { ellipse, biometry, ages } of reference.heads) {
    const found = biometryOf(scaled(ellipseOf(ellipse), 0.12, 0.11));
    const named = {
      hc_mm: found.hcMm,
      bpd_mm: found.bpdMm,
      ofd_mm: found.ofdMm,
      area_mm2: found.areaMm2,
      cephalic_index_percent: found.cephalicIndexPercent,
      ga_intergrowth_weeks: found.gaIntergrowthWeeks,
      ga_hadlock_weeks: found.gaHadlockWeeks,
    };
    for (const [name, value] of Object.entries(named)) {
      if (biometry[name] === null) expect(value).toBeNull();
      else expect(value! / biometry[name]!).toBeCloseTo(1, 9);
    }
    expect([ageText(found.gaIntergrowthWeeks), ageText(found.gaHadlockWeeks)]).toEqual(ages);
  }
  expect(reference.heads.flatMap(({ ages }) => ages)).toContain("out of range");
});

test("intervals and likely errors are those of Python, and there are none where too few heads were held out", () => {
  for (const { heldOut, hcMm, confidence, width, likely } of reference.intervals) {
    const { scale, scores, hc_mm, review_above: reviewAbove } = heldOut;
    const known = { scale, scores, hcMm: hc_mm, reviewAbove };
    const found = halfWidth(known, hcMm, confidence);
    if (width === null) expect(found).toBeNull();
    else expect(found).toBeCloseTo(width, 9);
    expect(isLargeErrorLikely(known, hcMm, confidence)).toBe(likely);
    const other = { ...known, scale: "another" };
    expect(halfWidth(other, hcMm, confidence)).toBeNull();
    expect(isLargeErrorLikely(other, hcMm, confidence)).toBe(false);
  }
  expect(reference.intervals.some(({ width }) => width === null)).toBe(true);
  expect(new Set(reference.intervals.map(({ likely }) => likely)).size).toBe(2);
});
