// Local response normalization across channels.

import { exp } from "../lanes/exp";
import { log } from "../lanes/log";
import { storeWords } from "../lanes/simd";

/**
 * y[n][c][i] = x·(bias + share·Σ_d x[n][d][i]²)^−beta over the channels d from c − before to c + behind that there are, ascending; the power by
 * e^(−beta·ln v), which asks for v > 0. x and y [samples][channels][inner]. Range: channels of all samples. y is not x.
 */
export function localResponse(
  y: usize,
  x: usize,
  channels: i32,
  inner: i32,
  before: i32,
  behind: i32,
  share: f32,
  beta: f32,
  bias: f32,
  begin: i32,
  end: i32,
): void {
  const factor = f32x4.splat(share);
  const power = f32x4.splat(-beta);
  const base = f32x4.splat(bias);
  const step = (<usize>inner) << 2;
  for (let at = begin; at < end; at++) {
    const c = at % channels;
    const first = at - (c < before ? c : before);
    const last = at + (channels - 1 - c < behind ? channels - 1 - c : behind);
    for (let i = 0; i < inner; i += 4) {
      const column = (<usize>i) << 2;
      let sum = f32x4.splat(0);
      for (let d = first; d <= last; d++) {
        const v = v128.load(x + <usize>d * step + column);
        sum = f32x4.add(sum, f32x4.mul(v, v));
      }
      const scale = exp(f32x4.mul(power, log(f32x4.add(base, f32x4.mul(factor, sum)))));
      const place = <usize>at * step + column;
      storeWords(y + place, f32x4.mul(v128.load(x + place), scale), inner - i);
    }
  }
}
