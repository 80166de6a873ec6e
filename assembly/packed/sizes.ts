// What kernels of packed weights and their host both know.

import { up } from "../lanes/whole";

/** Elements of a row, in whole blocks. */
export function paddedDepth(k: i32, size: i32): i32 {
  return up(k, size);
}

/** Scratch of linearBits: four rows of floats. */
export function linearBitsScratchBytes(k: i32, size: i32): i32 {
  return 16 * up(k, size);
}
