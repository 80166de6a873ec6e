// Packed weights for tests, and what they stand for.

import { sizeOf, type Tensor } from "../../../src/graph/tensor";
import { fed } from "../test-op";

/** Element k of row n of packed blocks, each number for itself. */
export function weightAt(
  [w, scale, zero]: readonly [Tensor, Tensor, Tensor | undefined],
  bits: number,
  size: number,
  n: number,
  k: number,
): number {
  const bytes = w.shape[1]!;
  const byte = w.data[n * bytes + Math.floor((k * bits) / 8)]!;
  const code = bits === 8 ? byte : k % 2 === 0 ? byte & 15 : byte >> 4;
  const block = n * scale.shape[1]! + Math.floor(k / size);
  return (code - (zero?.data[block] ?? 2 ** (bits - 1))) * scale.data[block]!;
}

export const bytesOf = (shape: readonly number[]) =>
  fed(
    "u8",
    shape,
    Array.from({ length: sizeOf(shape) }, (_, i) => (i * 37 + 11) % 256),
  );
