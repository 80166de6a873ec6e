// Frames of signals, one after the other.

/** y[r][i] = x[r / count][(r % count) · step + i]: x f32 [signals][length], y f32 [frames][size], `count` of each signal. Range: frames. */
export function frames(
  y: usize,
  x: usize,
  length: i32,
  step: i32,
  size: i32,
  count: i32,
  begin: i32,
  end: i32,
): void {
  const bytes = (<usize>size) << 2;
  for (let r = begin; r < end; r++) {
    const from = (r / count) * length + (r % count) * step;
    memory.copy(y + <usize>r * bytes, x + ((<usize>from) << 2), bytes);
  }
}
