// Gradient of a mean over one axis.

import { storeWords } from "../lanes/simd";

/** dx[o][r][i] = dy[o][i] / reduce: dy [outer][inner] → dx [outer][reduce][inner]. Range: outer. */
export function reduceMeanGradient(
  dx: usize,
  dy: usize,
  reduce: i32,
  inner: i32,
  begin: i32,
  end: i32,
): void {
  const count = f32x4.splat(<f32>reduce);
  const row = (<usize>inner) << 2;
  for (let o = begin; o < end; o++) {
    let to = dx + <usize>(o * reduce) * row;
    const from = dy + <usize>o * row;
    if (inner == 1) {
      const share = f32x4.div(v128.load32_splat(from), count);
      for (let r = 0; r < reduce; r += 4) storeWords(to + ((<usize>r) << 2), share, reduce - r);
      continue;
    }
    for (let r = 0; r < reduce; r++, to += row) {
      for (let i = 0; i < inner; i += 4) {
        const at = (<usize>i) << 2;
        storeWords(to + at, f32x4.div(v128.load(from + at), count), inner - i);
      }
    }
  }
}
