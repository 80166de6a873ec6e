// Weights that are codes: the numbers they stand for, and the gradient of their scales.

/**
 * ds[c] = Σ dw · codes over a channel of [channels][inner], codes i8. Range: channels.
 *
 * In f64, in order: sums of either sign over whole kernels cancel.
 */
export function scaleGradient(ds: usize, dw: usize, codes: usize, inner: i32, begin: i32, end: i32): void {
  for (let c = begin; c < end; c++) {
    let sum: f64 = 0;
    for (let i = c * inner; i < (c + 1) * inner; i++)
      sum += <f64>load<f32>(dw + ((<usize>i) << 2)) * <f64>load<i8>(codes + i);
    store<f32>(ds + ((<usize>c) << 2), <f32>sum);
  }
}
