// Gated recurrent units over codes, of what gemmInt8 made of the inputs.

import { codedProduct } from "./coded-product";
import { gruSteps } from "./gru-steps";
import { PRODUCT, PRODUCTS, Recurrence } from "./sizes";

/**
 * gru with both products of states over codes, as lstmInt8 has its own: where the reset gate comes first, r·h is rounded anew. scratch:
 * recurrentInt8ScratchBytes(rows, hidden, 4).
 */
export function gruInt8(
  y: usize,
  h: usize,
  saved: usize,
  z: usize,
  r: usize,
  sums: usize,
  scale: usize,
  bias: usize,
  rNew: usize,
  sumsNew: usize,
  scaleNew: usize,
  biasNew: usize,
  lengths: usize,
  h0: usize,
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
  const hidden = <i32>how.hidden;
  const first = begin * group;
  const last = end * group;
  const rows = last - first;
  const gates = scratch + PRODUCTS;
  const rest = gates + ((<usize>(rows * hidden)) << 4);
  const opening = codedProduct(scratch, r, sums, scale, bias, rest, rows, hidden << 1, how);
  const renewing = codedProduct(scratch + PRODUCT, rNew, sumsNew, scaleNew, biasNew, rest, rows, hidden, how);
  gruSteps(
    opening,
    renewing,
    gates,
    y,
    h,
    saved,
    z,
    lengths,
    h0,
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
