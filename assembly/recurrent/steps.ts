// Which steps a row takes, and what its states are before the first.

/** Steps that a row has: all, or as many as are given for it. */
export function stepsOf(lengths: usize, row: i32, steps: i32): i32 {
  return lengths ? min(max(load<i32>(lengths + ((<usize>row) << 2)), 0), steps) : steps;
}

/** The step that a row takes as its s-th. */
export function stepAt(s: i32, length: i32, reverse: bool): i32 {
  return reverse && s < length ? length - 1 - s : s;
}

/** States of rows begin to end as they are before the first step: those at `from`, or zeros, as where a row has no steps. Rows `ld` elements apart. */
export function startStates(
  state: usize,
  from: usize,
  lengths: usize,
  hidden: i32,
  ld: i32,
  begin: i32,
  end: i32,
): void {
  const bytes = (<usize>hidden) << 2;
  for (let row = begin; row < end; row++) {
    const at = (<usize>(row * ld)) << 2;
    if (from && stepsOf(lengths, row, 1) > 0) memory.copy(state + at, from + at, bytes);
    else memory.fill(state + at, 0, bytes);
  }
}
