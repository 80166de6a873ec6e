// Long short-term memory over codes, of what gemmInt8 made of the inputs.

import { codedProduct } from "./coded-product";
import { lstmSteps } from "./lstm-steps";
import { PRODUCTS, Recurrence } from "./sizes";

/**
 * lstm with h·Rᵀ over codes: those of h, whose range is found for each row, or for all where how.isShared is 1, times those of R.
 *
 * r, sums: weights of CodedProduct, with scale f32 [4 · hidden]. Range: rows, by groups of `group`: 1, or all. scratch:
 * recurrentInt8ScratchBytes(rows, hidden, 4).
 */
export function lstmInt8(
  y: usize,
  h: usize,
  c: usize,
  cells: usize,
  z: usize,
  r: usize,
  sums: usize,
  scale: usize,
  bias: usize,
  peepholes: usize,
  lengths: usize,
  h0: usize,
  c0: usize,
  scratch: usize,
  options: usize,
  group: i32,
  steps: i32,
  stepZ: i32,
  rowZ: i32,
  stepY: i32,
  rowY: i32,
  rowH: i32,
  begin: i32,
  end: i32,
): void {
  const how = changetype<Recurrence>(options);
  const n = (<i32>how.hidden) << 2;
  const first = begin * group;
  const last = end * group;
  const gates = scratch + PRODUCTS;
  const rest = gates + ((<usize>((last - first) * n)) << 2);
  const product = codedProduct(scratch, r, sums, scale, bias, rest, last - first, n, how);
  lstmSteps(
    product,
    gates,
    y,
    h,
    c,
    cells,
    z,
    peepholes,
    lengths,
    h0,
    c0,
    options,
    steps,
    stepZ,
    rowZ,
    stepY,
    rowY,
    rowH,
    first,
    last,
  );
}
