// One element of each row that is 1.

/** y[o][r][i] = 1 where r is places[o][i], else 0: places i32 [outer][inner] → y f32 [outer][n][inner]. Range: outer. */
export function oneAt(y: usize, places: usize, n: i32, inner: i32, begin: i32, end: i32): void {
  const size = (<usize>(n * inner)) << 2;
  for (let o = begin; o < end; o++) {
    memory.fill(y + <usize>o * size, 0, size);
    for (let i = 0; i < inner; i++) {
      const place = load<i32>(places + ((<usize>(o * inner + i)) << 2));
      store<f32>(y + <usize>o * size + ((<usize>(place * inner + i)) << 2), 1);
    }
  }
}
