// int8 weights into the panels of linearInt8 where they lie, with room for 32 rows beside them: a table of all words is large.

import { packRowWeightsInt8, packWeightsInt8 } from "../int8/pack";
import { BESIDE_COLUMNS, panelBytes } from "../int8/sizes";

/**
 * w i8 [n][k], at the end of packedInt8Bytes(n, k, 1, 32) at dst, into the panels of packRowWeightsInt8, and sums[c] = Σ_k w[c][k].
 *
 * scratch 32 · k bytes, sums i32 [up(n, 8)].
 */
export function packInPlaceInt8(dst: usize, sums: usize, scratch: usize, n: i32, k: i32): void {
  const block = <usize>(panelBytes(k) << 2);
  const blocks = (n + BESIDE_COLUMNS - 1) / BESIDE_COLUMNS;
  let from = dst + <usize>blocks * block - <usize>n * <usize>k;
  for (let c = 0; c < n; c += BESIDE_COLUMNS, dst += block, sums += BESIDE_COLUMNS << 2) {
    const cols = min(BESIDE_COLUMNS, n - c);
    memory.copy(scratch, from, <usize>(cols * k));
    from += <usize>(cols * k);
    packWeightsInt8(dst, sums, scratch, 0, 1, cols, 1, 1, k, k, 0, 0, 1, BESIDE_COLUMNS >> 3);
    packRowWeightsInt8(dst, cols, k);
  }
}
