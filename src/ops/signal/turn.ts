// Cosines and sines of parts of a turn, which end in outputs: those of Math differ between engines. Additions and products of doubles in a fixed
// order, within 1e-15.

/** 1/(2i)! and 1/(2i + 1)!, with alternating signs: what is left out is below 1e-17 up to an eighth of a turn. */
const inverses = /* @__PURE__ */ (() => {
  const cosine: number[] = [];
  const sine: number[] = [];
  for (let i = 0, factor = 1; i < 9; i++) {
    cosine.push(factor);
    sine.push(factor / (2 * i + 1));
    factor /= -(2 * i + 1) * (2 * i + 2);
  }
  return { cosine, sine };
})();

const series = (factors: readonly number[], square: number): number =>
  factors.reduceRight((sum, factor) => factor + square * sum, 0);

/** The cosine and the sine of k/n of a turn, of whole k and n > 0: exact where they are 0 or ±1. */
export function ofTurn(k: number, n: number): readonly [cosine: number, sine: number] {
  const whole = ((k % n) + n) % n;
  const octant = Math.floor((8 * whole) / n);
  const rest = 8 * whole - octant * n;
  const isOdd = octant % 2 === 1;
  const angle = (Math.PI / 4) * ((isOdd ? n - rest : rest) / n);
  const c = series(inverses.cosine, angle * angle);
  const s = angle * series(inverses.sine, angle * angle);
  const [x, y] = isOdd ? [s, c] : [c, s];
  const quarter = octant >> 1;
  if (quarter === 0) return [x, y];
  if (quarter === 1) return [-y, x];
  return quarter === 2 ? [-x, -y] : [y, -x];
}
