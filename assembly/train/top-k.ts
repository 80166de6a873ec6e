// Gradient of the k largest or least elements of one dimension.

/**
 * dx[o][p][i] = dy[o][j][i] where p is places[o][j][i], else 0: dy f32 and places i32 [outer][k][inner] → dx [outer][n][inner].
 * Range: outer.
 */
export function topKGradient(
  dx: usize,
  dy: usize,
  places: usize,
  n: i32,
  inner: i32,
  k: i32,
  begin: i32,
  end: i32,
): void {
  const size = (<usize>(n * inner)) << 2;
  for (let o = begin; o < end; o++) {
    memory.fill(dx + <usize>o * size, 0, size);
    for (let j = 0; j < k; j++)
      for (let i = 0; i < inner; i++) {
        const at = (<usize>((o * k + j) * inner + i)) << 2;
        const place = load<i32>(places + at);
        store<f32>(dx + <usize>o * size + ((<usize>(place * inner + i)) << 2), load<f32>(dy + at));
      }
  }
}
