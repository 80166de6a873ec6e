// Long short-term memory over all steps, of what gemm made of the inputs.

import { floatProduct } from "./float-product";
import { lstmSteps } from "./lstm-steps";
import { PRODUCTS, Recurrence } from "./sizes";

/**
 * At each step t, with [i o f g] = z[t] + h·Rᵀ + bias: i, o and f through the function f, g through g, then c = f·c + i·g, within ±cellClip, h = o·h(c) and
 * y[t] = h. The peepholes p [3][hidden] add p₀·c to i and p₂·c to f, and p₁ times the new c to o.
 *
 * z [gates of four states] at t·stepZ + row·rowZ, y at t·stepY + row·rowY, states at row·rowH, all in elements; weights R from packWeights. h and c
 * start as h0 and c0, zeros where a row has no steps, and are left as they are after a row's last step; lengths: steps of each row,
 * behind which y is zeros. y, bias, p, lengths, h0, c0: 0 for none. Where `cells` is there, z takes i, o, f, g and cells [hidden] at
 * (t·stepZ + row·rowZ)/4 each new c: what gradients need. Range: rows. scratch: recurrentScratchBytes(rows, hidden, 4).
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
  stepZ: i32,
  rowZ: i32,
  stepY: i32,
  rowY: i32,
  rowH: i32,
  begin: i32,
  end: i32,
): void {
  const hidden = <i32>changetype<Recurrence>(options).hidden;
  const n = hidden << 2;
  const gates = scratch + PRODUCTS;
  const rest = gates + ((<usize>((end - begin) * n)) << 2);
  const product = floatProduct(scratch, r, bias, rest, n, hidden);
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
    begin,
    end,
  );
}
