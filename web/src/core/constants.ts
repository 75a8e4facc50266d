/** The values that stand in Python alone, under the names that they have there (`python -m tools.page_data`). */
import constants from "../../generated/constants.json";

export const {
  tables,
  ellipse_fit,
  dicom_spacing,
  grey,
  dicom,
  biometry,
  conformal,
  head_gate,
  novelty,
  quality,
  exported,
  version,
} = constants;

/** The two ends of a range, which JSON has as a list. */
export function range(values: readonly number[]): readonly [number, number] {
  const [low, high] = values;
  if (low === undefined || high === undefined || values.length !== 2) {
    throw new RangeError(`a range has two ends, not ${values.length}`);
  }
  return [low, high];
}
