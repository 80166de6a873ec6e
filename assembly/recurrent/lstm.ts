// Long short-term memory over all steps, of what gemm made of the inputs.

import { floatProduct } from "./float-product";
import { layerAt } from "./layer";
import { lstmSteps } from "./lstm-steps";
import { HEAD, LAYER } from "./sizes";

/**
 * At each step t, with [i o f g] = z[t] + h·Rᵀ + bias: i, o and f through the function f, g through g, then c = f·c + i·g, within ±cellClip, h = o·h(c) and
 * y[t] = h. The peepholes p [3][hidden] add p₀·c to i and p₂·c to f, and p₁ times the new c to o.
 *
 * z [steps][rows][gates of four states], y [steps][rows][hidden] among the directions, states a row, all as options.isBatchFirst says; weights R
 * from packWeights. h and c start as h0 and c0, zeros where a row has no steps, and are left as they are after a row's last step; lengths: steps of
 * each row, behind which y is zeros. y, bias, p, lengths, h0, c0: 0 for none. Where `cells` is there, z takes i, o, f, g and cells [hidden] each new c,
 * a quarter as far on: what gradients need. Range: rows, of `rows`. scratch: recurrentScratchBytes(rows, hidden, 4).
 */
export function lstm(
  y: usize,
  h: usize,
  c: usize,
  cells: usize,
  z: usize,
  r: usize,
  bias: usize,
  peepholes: usize,
  lengths: usize,
  h0: usize,
  c0: usize,
  scratch: usize,
  options: usize,
  steps: i32,
  rows: i32,
  begin: i32,
  end: i32,
): void {
  const layer = layerAt(scratch, options, z, y, h, h0, lengths, steps, rows, begin, end);
  layer.c = c;
  layer.c0 = c0;
  layer.saved = cells;
  layer.peepholes = peepholes;
  const n = layer.hidden << 2;
  const gates = scratch + HEAD;
  const rest = gates + ((<usize>((end - begin) * n)) << 2);
  lstmSteps(floatProduct(scratch + LAYER, r, bias, rest, n, layer.hidden), gates, layer);
}
