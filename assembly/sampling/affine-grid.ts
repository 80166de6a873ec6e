// Grids of places that an affine map moves.

/** Place i of `size` along an axis, in −1..1: `aligned` from the middle of the first pixel to that of the last, else the middles of pixels. */
function place(i: i32, size: i32, aligned: i32): f32 {
  if (aligned) return size > 1 ? -1 + <f32>i * (<f32>2 / <f32>(size - 1)) : 0;
  const step = <f32>2 / <f32>size;
  return -1 + step / 2 + <f32>i * step;
}

/**
 * y[n][p][i] = Σ_j theta[n][i][j]·base_j(p) + theta[n][i][rank]: base is (x, y) or (x, y, z) of place p of [depth, height, width]. y
 * [n][depth·height·width][rank], theta [n][rank][rank + 1]; rank 2, where depth is 1, or 3. Range: all places.
 */
export function affineGrid(
  y: usize,
  theta: usize,
  rank: i32,
  depth: i32,
  height: i32,
  width: i32,
  aligned: i32,
  begin: i32,
  end: i32,
): void {
  const places = depth * height * width;
  for (let at = begin; at < end; at++) {
    const n = at / places;
    const p = at - n * places;
    const line = p / width;
    const a = place(p - line * width, width, aligned);
    const b = place(line % height, height, aligned);
    const c = place(line / height, depth, aligned);
    for (let i = 0; i < rank; i++) {
      const row = theta + ((<usize>((n * rank + i) * (rank + 1))) << 2);
      let sum = load<f32>(row) * a + load<f32>(row, 4) * b;
      if (rank == 3) sum += load<f32>(row, 8) * c;
      sum += load<f32>(row + ((<usize>rank) << 2));
      store<f32>(y + ((<usize>(at * rank + i)) << 2), sum);
    }
  }
}
