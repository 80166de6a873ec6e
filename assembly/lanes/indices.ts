// Indices that a model computes: whatever they are, no element outside is touched.

/** A negative index counts from the end; what then lies outside is taken to the nearest row. `extent` rows, one at least. */
export function rowAt(index: i32, extent: i32): i32 {
  return max(0, min(index < 0 ? index + extent : index, extent - 1));
}
