// A short causal convolution of each channel over the tokens, which keeps the last tokens for the next run.

import { storeWords } from "../lanes/simd";

/** Four channels of tap `tap`: elements of four rows of w. */
function weights4(w: usize, taps: i32, tap: i32, count: i32): v128 {
  const step = (<usize>taps) << 2;
  const at = w + ((<usize>tap) << 2);
  let v = v128.load32_zero(at);
  if (count > 1) v = v128.load32_lane(at + step, v, 1);
  if (count > 2) v = v128.load32_lane(at + 2 * step, v, 2);
  if (count > 3) v = v128.load32_lane(at + 3 * step, v, 3);
  return v;
}

/**
 * y[t][c] = Σ_j w[c][j]·x[t + j − (taps − 1)][c] + bias[c], j ascending; before token 0 lies state [taps − 1][channels], which then
 * gets the last taps − 1 tokens of both. Range: channels. Bias 0: none. y is not x.
 *
 * x, y [tokens][channels], w [channels][taps].
 */
export function causalConv(
  y: usize,
  x: usize,
  w: usize,
  bias: usize,
  state: usize,
  tokens: i32,
  channels: i32,
  taps: i32,
  begin: i32,
  end: i32,
): void {
  const row = (<usize>channels) << 2;
  const before = taps - 1;
  for (let c = begin; c < end; c += 4) {
    const at = (<usize>c) << 2;
    const count = end - c;
    for (let tap = 0; tap < taps; tap++) {
      const factor = weights4(w + <usize>taps * at, taps, tap, count);
      let to = y + at;
      for (let t = 0; t < tokens; t++, to += row) {
        const from = t + tap - before;
        const p = from < 0 ? state + <usize>(from + before) * row : x + <usize>from * row;
        let v = f32x4.mul(factor, v128.load(p + at));
        if (tap) v = f32x4.add(v128.load(to), v);
        if (bias && tap == before) v = f32x4.add(v, v128.load(bias + at));
        storeWords(to, v, count);
      }
    }
    for (let i = 0; i < before; i++) {
      const from = tokens + i - before;
      const p = from < 0 ? state + <usize>(from + before) * row : x + <usize>from * row;
      storeWords(state + <usize>i * row + at, v128.load(p + at), count);
    }
  }
}
