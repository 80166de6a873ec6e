// Runs of elements that lie together.

import { storeBytes } from "./simd";

/** From here on memory.copy is faster than a loop: a call out of wasm costs some 10 ns. */
const LONG: i32 = 256;

/** y = x, so many bytes; reads up to 15 bytes past their end. */
export function copyRun(y: usize, x: usize, bytes: i32): void {
  if (bytes >= LONG) {
    memory.copy(y, x, bytes);
    return;
  }
  for (; bytes >= 16; bytes -= 16, x += 16, y += 16) v128.store(y, v128.load(x));
  if (bytes > 0) storeBytes(y, v128.load(x), bytes);
}
