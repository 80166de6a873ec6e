// Weights of 8 bits in blocks with float scales into panels, once per model. The bytes are the same for every class.
//
//   panel of 16 columns, block after block of 16 or 32 k
//   scales   | d0 … d15 |                              16 × f32
//   sums     | Σ q of each column |                    16 × i16
//   offsets  | m0 … m15 |                              16 × f32, where there are any
//   quad b   | chunk 0 | chunk 1 | …                   columns 4b … 4b + 3, b = 0 … 3
//   chunk c  | column 4b: k = 4c … 4c + 3 | 4b + 1 | 4b + 2 | 4b + 3 |, 4 bytes each

import { blockBytes, COLUMNS } from "./sizes";

/**
 * q i8 [n][k], d f32 [n][k / size] and m f32 [n][k / size] or 0 into panels. Size is 16 or 32. dst packedBlocksBytes; zeros past n. These
 * are n rows of some more, from a multiple of 16 on.
 */
export function packBlocks(dst: usize, q: usize, d: usize, m: usize, n: i32, k: i32, size: i32): void {
  const bytes = <usize>blockBytes(size, m ? 1 : 0);
  const blocks = k / size;
  const head: usize = m ? 160 : 96;
  memory.fill(dst, 0, <usize>((n + COLUMNS - 1) / COLUMNS) * <usize>blocks * bytes);
  for (let c = 0; c < n; c++) {
    const lane = <usize>(c % COLUMNS);
    const at = head + (lane >> 2) * <usize>(size << 2) + ((lane & 3) << 2);
    let to = dst + <usize>(c / COLUMNS) * <usize>blocks * bytes;
    let from = q + <usize>c * <usize>k;
    for (let g = 0; g < blocks; g++, to += bytes, d += 4) {
      store<f32>(to + (lane << 2), load<f32>(d));
      if (m) {
        store<f32>(to + (lane << 2), load<f32>(m), 96);
        m += 4;
      }
      let sum = 0;
      for (let i = 0; i < size; i += 4, from += 4) {
        store<u32>(to + at + ((<usize>i) << 2), load<u32>(from));
        sum += load<i8>(from) + load<i8>(from, 1) + load<i8>(from, 2) + load<i8>(from, 3);
      }
      store<i16>(to + (lane << 1), <i16>sum, 64);
    }
  }
}
