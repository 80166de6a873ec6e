// Determinants.

/**
 * det a, f32 [n][n], by Gaussian elimination with the largest pivot of each column, which changes the sign where it is swapped. a is
 * written over.
 */
export function determinant(a: usize, n: i32): f32 {
  const row = (<usize>n) << 2;
  let product: f32 = 1;
  for (let k = 0; k < n; k++) {
    const skip = (<usize>k) << 2;
    let best = k;
    for (let i = k + 1; i < n; i++)
      if (abs(load<f32>(a + <usize>i * row + skip)) > abs(load<f32>(a + <usize>best * row + skip))) best = i;
    const from = a + <usize>k * row;
    const other = a + <usize>best * row;
    const pivot = load<f32>(other + skip);
    product *= best == k ? pivot : -pivot;
    if (pivot == 0) return product;
    if (best != k)
      for (let j = skip; j < row; j += 4) {
        const held = load<f32>(from + j);
        store<f32>(from + j, load<f32>(other + j));
        store<f32>(other + j, held);
      }
    for (let i = k + 1; i < n; i++) {
      const to = a + <usize>i * row;
      const factor = load<f32>(to + skip) / pivot;
      for (let j = skip + 4; j < row; j += 4)
        store<f32>(to + j, load<f32>(to + j) - factor * load<f32>(from + j));
    }
  }
  return product;
}
