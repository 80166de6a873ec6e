// exp and log of numbers that end in an output: those of Math differ between engines. Additions, products and quotients of doubles in
// a fixed order, after FreeBSD's msun (e_exp.c, e_log.c; Sun Microsystems 1993), within 1 ulp.

const LN2_HIGH = 0.6931471803691238;
const LN2_LOW = 1.9082149292705877e-10;
/** Above it e^x is infinite, below its negative counterpart 0, as doubles are rounded. */
const [MOST, LEAST] = [709.782712893384, -745.1332191019411];

/** 2^n for n = −538…512, halves of what a result may be multiplied by: each twice the one before, which is exact. */
const LEAST_POWER = -538;
let power = 5.556896873712694e-163;
const powers = /* @__PURE__ */ Float64Array.from({ length: 1051 }, () => (power *= 2));

/** e^x. */
export function portableExp(x: number): number {
  if (Number.isNaN(x)) return x;
  if (x > MOST) return Infinity;
  if (x < LEAST) return 0;
  const k = Math.floor(x / Math.LN2 + 0.5);
  const high = x - k * LN2_HIGH;
  const low = k * LN2_LOW;
  const r = high - low;
  const t = r * r;
  const c =
    r -
    t *
      (0.16666666666666602 +
        t *
          (-0.0027777777777015593 +
            t * (6.613756321437934e-5 + t * (-1.6533902205465252e-6 + t * 4.1381367970572385e-8))));
  const y = 1 - (low - (r * c) / (2 - c) - high);
  // In two steps, where 2^k alone is beyond the range of doubles.
  const half = Math.trunc(k / 2);
  return y * powers[half - LEAST_POWER]! * powers[k - half - LEAST_POWER]!;
}

const bits = /* @__PURE__ */ new DataView(/* @__PURE__ */ new ArrayBuffer(8));
const EXPONENT_OF_ONE = 1023;

/** The natural logarithm of x; −Infinity for 0, NaN below. */
export function portableLog(x: number): number {
  if (Number.isNaN(x) || x < 0) return NaN;
  if (x === 0) return -Infinity;
  if (x === Infinity) return x;
  // Numbers below the normal ones have no leading bit.
  if (x < 2.2250738585072014e-308) return portableLog(x * 2 ** 54) - 54 * LN2_HIGH - 54 * LN2_LOW;
  bits.setFloat64(0, x);
  const upper = bits.getUint32(0);
  let k = (upper >>> 20) - EXPONENT_OF_ONE;
  bits.setUint32(0, (upper & 0xfffff) | (EXPONENT_OF_ONE << 20));
  let m = bits.getFloat64(0);
  if (m > Math.SQRT2) {
    m /= 2;
    k++;
  }
  const f = m - 1;
  const s = f / (2 + f);
  const z = s * s;
  const w = z * z;
  const even = w * (0.3999999999940942 + w * (0.22222198432149784 + w * 0.15313837699209373));
  const odd =
    z * (0.6666666666666735 + w * (0.2857142874366239 + w * (0.1818357216161805 + w * 0.14798198605116586)));
  const half = 0.5 * f * f;
  return k * LN2_HIGH - (half - (s * (half + even + odd) + k * LN2_LOW) - f);
}
