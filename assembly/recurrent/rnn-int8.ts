// Plain recurrent layers over codes, of what gemmInt8 made of the inputs.

import { codedProduct } from "./coded-product";
import { rnnSteps } from "./rnn-steps";
import { PRODUCTS, Recurrence } from "./sizes";

/** rnn with h·Rᵀ over codes, as lstmInt8 has it. scratch: recurrentInt8ScratchBytes(rows, hidden, 1). */
export function rnnInt8(
  y: usize,
  h: usize,
  z: usize,
  r: usize,
  sums: usize,
  scale: usize,
  bias: usize,
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
  const n = <i32>how.hidden;
  const first = begin * group;
  const last = end * group;
  const own = scratch + PRODUCTS;
  const rest = own + ((<usize>((last - first) * n)) << 2);
  const product = codedProduct(scratch, r, sums, scale, bias, rest, last - first, n, how);
  rnnSteps(product, own, y, h, z, lengths, h0, options, steps, stepZ, rowZ, stepY, rowY, rowH, first, last);
}
