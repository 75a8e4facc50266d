/** Numbers as Python rounds and writes them, so that both programs give the same text. */

/** The nearest whole number; of two that are equally near, the even one. */
export function roundHalfEven(value: number): number {
  const below = Math.floor(value);
  const rest = value - below;
  if (rest !== 0.5) return rest < 0.5 ? below : below + 1;
  return below % 2 === 0 ? below : below + 1;
}

/** As Python's `f"{value:.0f}"`. */
export function whole(value: number): string {
  return String(roundHalfEven(value));
}

/** As Python's `f"{value:.{digits}g}"`: so many significant digits, without zeros at the end. */
export function general(value: number, digits = 6): string {
  if (Number.isNaN(value)) return "nan";
  if (!Number.isFinite(value)) return value < 0 ? "-inf" : "inf";
  if (value === 0) return Object.is(value, -0) ? "-0" : "0";
  const [mantissa, power] = significant(value, digits);
  if (power < -4 || power >= digits) {
    const size = String(Math.abs(power)).padStart(2, "0");
    return `${withoutZeros(mantissa)}e${power < 0 ? "-" : "+"}${size}`;
  }
  return withoutZeros(Number(`${mantissa}e${power}`).toFixed(digits - 1 - power));
}

/** Significant digits and the power of ten; halves go to the even digit, which JavaScript takes upwards. */
function significant(value: number, digits: number): [mantissa: string, power: number] {
  const [exact, exactPower] = value.toExponential(60).split("e") as [string, string];
  const kept = exact.slice(0, exact.indexOf(".") + digits);
  const isHalf = /^50*$/.test(exact.slice(kept.length));
  if (isHalf && Number(kept.at(-1)) % 2 === 0) return [kept, Number(exactPower)];
  const [mantissa, power] = value.toExponential(digits - 1).split("e") as [string, string];
  return [mantissa, Number(power)];
}

function withoutZeros(decimal: string): string {
  return decimal.includes(".") ? decimal.replace(/\.?0+$/, "") : decimal;
}
