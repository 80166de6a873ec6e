// Cosines and sines of fractions of a turn. Those of Math differ between engines; these are sums and products of doubles in a fixed order.

/** Taylor's terms, which at an eighth of a turn leave less than a double's last bit. */
const TERMS = 11;

/** cos x for odd = 0, sin x for odd = 1, for x up to π / 4. */
function series(x: number, odd: 0 | 1): number {
  const square = x * x;
  let sum = 0;
  for (let n = TERMS; n >= 1; n--) {
    const at = 2 * n + odd;
    sum = (square / (at * (at - 1))) * (1 - sum);
  }
  return (odd ? x : 1) * (1 - sum);
}

/** cos(2π · part / whole) and sin(2π · part / whole), of whole numbers. */
export function cosSin(part: number, whole: number): readonly [cos: number, sin: number] {
  // In eighths of a turn: the whole ones are turned exactly.
  const turned = ((part % whole) + whole) % whole;
  const eighth = Math.floor((turned * 8) / whole);
  const isOdd = eighth % 2 === 1;
  const quarter = (eighth >> 1) % 4;
  // What is left of the quarter, or up to the next one.
  const rest = isOdd ? (quarter + 1) * whole - 4 * turned : 4 * turned - quarter * whole;
  const x = (rest / whole) * (Math.PI / 2);
  const [c, s] = [series(x, 0), series(x, 1)];
  const [cos, sin] = isOdd ? [s, c] : [c, s];
  if (quarter === 0) return [cos, sin];
  if (quarter === 1) return [-sin, cos];
  return quarter === 2 ? [-cos, -sin] : [sin, -cos];
}
