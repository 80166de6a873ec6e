// What the kernels of the group windows and their host both know.

import { gemmScratchBytes } from "../f32/sizes";
import { up } from "../lanes/whole";
import { Window } from "../lanes/window";

/** What a pooling makes of a window: its largest element, their mean, (Σ |x|^p)^(1/p), the largest of bytes. */
export const LARGEST: i32 = 0;
export const MEAN: i32 = 1;
export const NORM: i32 = 2;
export const LARGEST_BYTE: i32 = 3;

/** Scratch of a pooling: the taps of one window (pool.ts). */
export const TAPS_BYTES: i32 = 48;

/** Scratch of deformConv, k numbers of a patch in a group: | zeros, a pixel | patches of a line | that of gemm |. */
export function deformScratchBytes(w: Window, k: i32): i32 {
  return up(w.cin + 4, 4) * 4 + w.outW * w.kh * w.kw * w.cin * 4 + 16 + gemmScratchBytes(w.outW, k);
}
