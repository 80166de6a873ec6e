// Gated recurrent units over all steps, of what gemm made of the inputs.

import { floatProduct } from "./float-product";
import { gruSteps } from "./gru-steps";
import { PRODUCT, PRODUCTS, Recurrence } from "./sizes";

/**
 * At each step t, with [u r] = z[t] + h·Rᵀ + bias through the function f: n = g(z[t] + (r·h)·Rₙᵀ + biasₙ), or where how.variant is 1
 * g(z[t] + r·(h·Rₙᵀ + biasₙ)), then h = (1 − u)·n + u·h and y[t] = h.
 *
 * z [update, reset, new] and all others as lstm has them; Rᵀ of the two gates and Rₙᵀ are packed each by itself. Where `saved` is there, z takes u,
 * r and n, and `saved` [hidden] at (t·stepZ + row·rowZ)/3 what follows r in n's sum: r·h, or h·Rₙᵀ + biasₙ. Range: rows. scratch:
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
  biasNew: usize,
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
  const gates = scratch + PRODUCTS;
  const rest = gates + ((<usize>((end - begin) * hidden)) << 4);
  const opening = floatProduct(scratch, r, bias, rest, hidden << 1, hidden);
  const renewing = floatProduct(scratch + PRODUCT, rNew, biasNew, rest, hidden, hidden);
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
    begin,
    end,
  );
}
