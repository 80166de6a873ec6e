// Plain recurrent layers over all steps, of what gemm made of the inputs.

import { floatProduct } from "./float-product";
import { rnnSteps } from "./rnn-steps";
import { PRODUCTS, Recurrence } from "./sizes";

/**
 * At each step t: h = f(z[t] + h·Rᵀ + bias), y[t] = h. Operands as lstm has them. Range: rows. scratch:
 * recurrentScratchBytes(rows, hidden, 1).
 */
export function rnn(
  y: usize,
  h: usize,
  z: usize,
  r: usize,
  bias: usize,
  lengths: usize,
  h0: usize,
  scratch: usize,
  options: usize,
  steps: i32,
  stepZ: i32,
  rowZ: i32,
  stepY: i32,
  rowY: i32,
  rowH: i32,
  begin: i32,
  end: i32,
): void {
  const hidden = <i32>changetype<Recurrence>(options).hidden;
  const own = scratch + PRODUCTS;
  const rest = own + ((<usize>((end - begin) * hidden)) << 2);
  const product = floatProduct(scratch, r, bias, rest, hidden, hidden);
  rnnSteps(product, own, y, h, z, lengths, h0, options, steps, stepZ, rowZ, stepY, rowY, rowH, begin, end);
}
