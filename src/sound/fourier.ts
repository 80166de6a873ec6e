// The discrete Fourier transform of real numbers, of any length: by its prime factors (Cooley & Tukey 1965), in doubles and in a fixed
// order, so that every engine gives the same bits.

import { cosSin } from "./trigonometry";

export interface Fourier {
  /** Squares of the magnitudes of the lower half of the spectrum, n / 2 + 1 of them, of n real numbers. */
  power(real: ArrayLike<number>, out: Float64Array): void;
}

/** A transform of n numbers. */
export function createFourier(n: number): Fourier {
  const cos = new Float64Array(n);
  const sin = new Float64Array(n);
  for (let i = 0; i < n; i++) [cos[i], sin[i]] = cosSin(i, n) as [number, number];
  const factors = primeFactors(n);
  const [re, im] = [new Float64Array(n), new Float64Array(n)];
  const largest = Math.max(1, ...factors);
  const [partRe, partIm] = [new Float64Array(largest), new Float64Array(largest)];

  /** The transform of every `step`th number from `from` on, to `to` and after it. */
  function transform(real: ArrayLike<number>, from: number, step: number, to: number, depth: number): void {
    const count = n / step;
    if (count === 1) {
      re[to] = real[from]!;
      im[to] = 0;
      return;
    }
    const factor = factors[depth]!;
    const part = count / factor;
    for (let k = 0; k < factor; k++)
      transform(real, from + k * step, step * factor, to + k * part, depth + 1);
    for (let i = 0; i < part; i++) {
      for (let k = 0; k < factor; k++) {
        const at = to + k * part + i;
        const turn = (i * k * step) % n;
        partRe[k] = re[at]! * cos[turn]! + im[at]! * sin[turn]!;
        partIm[k] = im[at]! * cos[turn]! - re[at]! * sin[turn]!;
      }
      for (let j = 0; j < factor; j++) {
        let [sumRe, sumIm] = [partRe[0]!, partIm[0]!];
        for (let k = 1; k < factor; k++) {
          const turn = (j * k * part * step) % n;
          sumRe += partRe[k]! * cos[turn]! + partIm[k]! * sin[turn]!;
          sumIm += partIm[k]! * cos[turn]! - partRe[k]! * sin[turn]!;
        }
        re[to + j * part + i] = sumRe;
        im[to + j * part + i] = sumIm;
      }
    }
  }

  return {
    power(real, out) {
      transform(real, 0, 1, 0, 0);
      for (let i = 0; i <= n >> 1; i++) out[i] = re[i]! * re[i]! + im[i]! * im[i]!;
    },
  };
}

function primeFactors(n: number): number[] {
  const factors: number[] = [];
  for (let factor = 2; n > 1; factor++) for (; n % factor === 0; n /= factor) factors.push(factor);
  return factors;
}
