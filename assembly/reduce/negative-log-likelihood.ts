// Losses of log probabilities, one for each element of a batch that has a label.

/**
 * loss[n][i] = −w·x[n][t][i], shares[n][i] = w: t = labels[n][i], w = weights[t], or 1 without weights. Where t is `ignored` or names no
 * class, both are 0.
 *
 * x f32 [samples][classes][inner], labels i32 [samples][inner], weights f32 [classes] or 0, loss and shares f32
 * [samples][inner]. Range: samples.
 */
export function negativeLogLikelihood(
  loss: usize,
  shares: usize,
  x: usize,
  labels: usize,
  weights: usize,
  classes: i32,
  inner: i32,
  ignored: i32,
  begin: i32,
  end: i32,
): void {
  for (let n = begin; n < end; n++)
    for (let i = 0; i < inner; i++) {
      const at = (<usize>(n * inner + i)) << 2;
      const label = load<i32>(labels + at);
      const isNamed = label != ignored && <u32>label < <u32>classes;
      const share: f32 = isNamed ? (weights ? load<f32>(weights + ((<usize>label) << 2)) : 1) : 0;
      const from = x + ((<usize>((n * classes + label) * inner + i)) << 2);
      store<f32>(loss + at, isNamed ? -load<f32>(from) * share : 0);
      store<f32>(shares + at, share);
    }
}
