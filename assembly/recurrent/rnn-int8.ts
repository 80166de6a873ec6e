// Plain recurrent layers over codes, of what gemmInt8 made of the inputs.

import { codedProduct } from "./coded-product";
import { layerAt } from "./layer";
import { rnnSteps } from "./rnn-steps";
import { groupOf, HEAD, LAYER, Recurrence } from "./sizes";

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
  steps: i32,
  rows: i32,
  begin: i32,
  end: i32,
): void {
  const how = changetype<Recurrence>(options);
  const group = groupOf(how, rows);
  const layer = layerAt(scratch, options, z, y, h, h0, lengths, steps, rows, begin * group, end * group);
  const hidden = layer.hidden;
  const count = layer.end - layer.begin;
  const own = scratch + HEAD;
  const rest = own + ((<usize>(count * hidden)) << 2);
  rnnSteps(codedProduct(scratch + LAYER, r, sums, scale, bias, rest, count, hidden, how), own, layer);
}
