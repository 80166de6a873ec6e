// Long short-term memory over codes, of what gemmInt8 made of the inputs.

import { codedProduct } from "./coded-product";
import { layerAt } from "./layer";
import { lstmSteps } from "./lstm-steps";
import { groupOf, HEAD, LAYER, Recurrence } from "./sizes";

/**
 * lstm with h·Rᵀ over codes: those of h, whose range is found for each row, or for all where options.isShared is 1, times those of R.
 *
 * r, sums: weights of CodedProduct, with scale f32 [4 · hidden]. Range: groups of rows whose states share a range. scratch:
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
  steps: i32,
  rows: i32,
  begin: i32,
  end: i32,
): void {
  const how = changetype<Recurrence>(options);
  const group = groupOf(how, rows);
  const layer = layerAt(scratch, options, z, y, h, h0, lengths, steps, rows, begin * group, end * group);
  layer.c = c;
  layer.c0 = c0;
  layer.saved = cells;
  layer.peepholes = peepholes;
  const n = layer.hidden << 2;
  const count = layer.end - layer.begin;
  const gates = scratch + HEAD;
  const rest = gates + ((<usize>(count * n)) << 2);
  lstmSteps(codedProduct(scratch + LAYER, r, sums, scale, bias, rest, count, n, how), gates, layer);
}
