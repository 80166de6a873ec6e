// Plain recurrent layers over all steps, of what gemm made of the inputs.

import { floatProduct } from "./float-product";
import { layerAt } from "./layer";
import { rnnSteps } from "./rnn-steps";
import { HEAD, LAYER } from "./sizes";

/**
 * At each step t: h = f(z[t] + h·Rᵀ + bias), y[t] = h. Operands as lstm has them. Range: rows, of `rows`. scratch:
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
  rows: i32,
  begin: i32,
  end: i32,
): void {
  const layer = layerAt(scratch, options, z, y, h, h0, lengths, steps, rows, begin, end);
  const hidden = layer.hidden;
  const sums = scratch + HEAD;
  const rest = sums + ((<usize>((end - begin) * hidden)) << 2);
  rnnSteps(floatProduct(scratch + LAYER, r, bias, rest, hidden, hidden), sums, layer);
}
