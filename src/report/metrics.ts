// The numbers reports are made of: class decisions, agreement, signal to quantization noise, and whether a
// difference in accuracy could be chance. Sums are in f64; nothing here ends in an artifact.

/** Index of the largest of `data[start … start + n)`; the first of equals. NaN never wins; of NaN alone −1, which is no class. */
export function argmax(data: ArrayLike<number>, start: number, n: number): number {
  let best = -1;
  let most = Number.NEGATIVE_INFINITY;
  for (let i = 0; i < n; i++) {
    const value = data[start + i]!;
    if (value > most || (best < 0 && value === most)) {
      most = value;
      best = i;
    }
  }
  return best;
}

/** Signal and noise power, added up over any number of batches. */
export class NoiseMeter {
  signal = 0;
  noise = 0;
  maxDifference = 0;
  maxReference = 0;

  add(reference: ArrayLike<number>, value: ArrayLike<number>): void {
    for (let i = 0; i < reference.length; i++) {
      const r = reference[i]!;
      const d = value[i]! - r;
      this.signal += r * r;
      this.noise += d * d;
      if (Math.abs(d) > this.maxDifference) this.maxDifference = Math.abs(d);
      if (Math.abs(r) > this.maxReference) this.maxReference = Math.abs(r);
    }
  }

  /** Signal to noise in decibels; Infinity when there is no noise. */
  get sqnrDb(): number {
    if (this.noise === 0) return Number.POSITIVE_INFINITY;
    return 10 * Math.log10(this.signal / this.noise);
  }
}

/**
 * Exact two-sided p of McNemar's paired test: of `b + c` samples on which exactly one of two models was right, how
 * likely a split at least as uneven as `b : c` is when each has even odds, `min(1, 2 · Σ_{k ≤ min} C(n, k) / 2ⁿ)`.
 * The largest term is a product kept near 1 by taking factors ½ in between, the rest follow by ratios, so nothing
 * overflows and the relative error stays below n · 2⁻⁵².
 */
export function mcnemar(b: number, c: number): number {
  const n = b + c;
  const m = Math.min(b, c);
  if (Math.abs(b - c) <= 1) return 1; // the tails meet: every split is at least as uneven
  let term = 1;
  let halves = n;
  for (let i = 1; i <= m; i++) {
    for (; term > 1 && halves > 0; halves--) term /= 2;
    term *= (n - m + i) / i;
  }
  for (; halves > 0 && term > 0; halves--) term /= 2;
  let sum = 0;
  for (let k = m, part = term; k >= 0; k--) {
    sum += part;
    if (part < sum * 2 ** -60) break;
    part *= k / (n - k + 1);
  }
  return Math.min(1, 2 * sum);
}

/** How two lists of right and wrong answers differ. */
export class PairedCounts {
  n = 0;
  agree = 0;
  right = 0;
  otherRight = 0;
  onlyRight = 0;
  onlyOtherRight = 0;

  add(answer: number, label: number | undefined, other: number | undefined): void {
    this.n++;
    if (answer === other) this.agree++;
    if (label === undefined) return;
    const right = answer === label;
    const otherRight = other === label;
    if (right) this.right++;
    if (otherRight) this.otherRight++;
    if (right && !otherRight) this.onlyRight++;
    if (otherRight && !right) this.onlyOtherRight++;
  }
}
