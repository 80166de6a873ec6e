// Gated recurrent units over codes, of what gemmInt8 made of the inputs.

import { codedProduct } from "./coded-product";
import { gruSteps } from "./gru-steps";
import { layerAt } from "./layer";
import { groupOf, HEAD, LAYER, PRODUCT, Recurrence } from "./sizes";

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
  rNew: usize,
  sumsNew: usize,
  scaleNew: usize,
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
  const how = changetype<Recurrence>(options);
  const group = groupOf(how, rows);
  const layer = layerAt(scratch, options, z, y, h, h0, lengths, steps, rows, begin * group, end * group);
  layer.saved = saved;
  const hidden = layer.hidden;
  const count = layer.end - layer.begin;
  const gates = scratch + HEAD;
  const rest = gates + ((<usize>(count * hidden)) << 4);
  const biasNew = bias ? bias + ((<usize>hidden) << 3) : 0;
  const own = scratch + LAYER;
  const opening = codedProduct(own, r, sums, scale, bias, rest, count, hidden << 1, how);
  const renewing = codedProduct(own + PRODUCT, rNew, sumsNew, scaleNew, biasNew, rest, count, hidden, how);
  gruSteps(opening, renewing, gates, layer);
}
