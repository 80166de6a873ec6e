// Sums of functions of sizes that are less than their parts: what exporters cut apart and put together again.

import { functionAlone } from "../graph/dim-functions";
import { parse } from "../graph/polynomials";
import { addDims, type Dim, floorDims, multiplyDims, subtractDims } from "../graph/symbols";

/**
 * A dimension that has neither sums of the larger and the smaller of the same two, however far apart these lie on the line, nor a whole
 * without its half.
 */
export function joinedSize(dim: Dim): Dim {
  if (!/max.*min|-.*div/.test(`${dim}`)) return dim;
  const terms = parse(dim);
  for (const [m, c] of terms) {
    const { name, args: [p, q] = [0, 0] } = functionAlone(m) ?? {};
    /** With something else in place of this term and another one. */
    const without = (n: Dim, by: Dim) => {
      const rest = subtractDims(dim, multiplyDims(c, m));
      return joinedSize(addDims(rest, addDims(multiplyDims(terms.get(`${n}`)!, multiplyDims(n, -1)), by)));
    };
    if (name === "div" && c < 0 && Number(q) % 2 === 0) {
      const half = Number(q) / 2;
      const whole = floorDims(p, half);
      const rounded = floorDims(addDims(p, half), q);
      if (terms.get(`${whole}`) === -c) return without(whole, multiplyDims(-c, rounded));
    }
    for (const [n, d] of terms) {
      const smaller = functionAlone(n);
      if (name !== "max" || smaller?.name !== "min" || c !== d) continue;
      const [r, s] = smaller.args;
      const apart = subtractDims(p, q);
      const left = apart === subtractDims(r, s) ? s : apart === subtractDims(s, r) ? r : undefined;
      if (left !== undefined) return without(n, multiplyDims(c, addDims(p, left)));
    }
  }
  return dim;
}
