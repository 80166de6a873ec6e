// Gated recurrent units over all steps, of what gemm made of the inputs.

import { floatProduct } from "./float-product";
import { gruSteps } from "./gru-steps";
import { layerAt } from "./layer";
import { HEAD, LAYER, PRODUCT } from "./sizes";

/**
 * At each step t, with [u r] = z[t] + h·Rᵀ + bias through the function f: n = g(z[t] + (r·h)·Rₙᵀ + biasₙ), or where options.variant is 1
 * g(z[t] + r·(h·Rₙᵀ + biasₙ)), then h = (1 − u)·n + u·h and y[t] = h.
 *
 * z [update, reset, new], bias of all three and all others as lstm has them; Rᵀ of the two gates and Rₙᵀ are packed each by itself. Where `saved` is
 * there, z takes u, r and n, and `saved` [hidden], a third as far on, what follows r in n's sum: r·h, or h·Rₙᵀ + biasₙ. Range: rows, of `rows`. scratch:
 * recurrentScratchBytes(rows, hidden, 4).
 */
export function gru(
  y: usize,
  h: usize,
  saved: usize,
  z: usize,
  r: usize,
  rNew: usize,
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
  layer.saved = saved;
  const hidden = layer.hidden;
  const gates = scratch + HEAD;
  const rest = gates + ((<usize>((end - begin) * hidden)) << 4);
  const biasNew = bias ? bias + ((<usize>hidden) << 3) : 0;
  const opening = floatProduct(scratch + LAYER, r, bias, rest, hidden << 1, hidden);
  const renewing = floatProduct(scratch + LAYER + PRODUCT, rNew, biasNew, rest, hidden, hidden);
  gruSteps(opening, renewing, gates, layer);
}
