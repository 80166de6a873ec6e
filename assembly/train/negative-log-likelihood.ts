// Gradient of the loss of log probabilities.

function shareOf(label: i32, weights: usize, classes: i32, ignored: i32): f32 {
  if (label == ignored || <u32>label >= <u32>classes) return 0;
  return weights ? load<f32>(weights + ((<usize>label) << 2)) : 1;
}

/**
 * dx[n][c][i] = −w·dy where c is the label, else 0; w as in negativeLogLikelihood, with `mean` 1 divided by the sum of all w, n and i
 * ascending. dx f32 [samples][classes][inner], labels i32 [samples][inner]; dy f32 [samples][inner], or one number where `step` is 0.
 * Range: samples.
 */
export function negativeLogLikelihoodGradient(
  dx: usize,
  dy: usize,
  labels: usize,
  weights: usize,
  classes: i32,
  inner: i32,
  samples: i32,
  ignored: i32,
  step: i32,
  mean: i32,
  begin: i32,
  end: i32,
): void {
  let total: f32 = 1;
  if (mean) {
    total = 0;
    for (let at = 0; at < samples * inner; at++)
      total += shareOf(load<i32>(labels + ((<usize>at) << 2)), weights, classes, ignored);
  }
  const size = (<usize>(classes * inner)) << 2;
  for (let n = begin; n < end; n++) {
    memory.fill(dx + <usize>n * size, 0, size);
    for (let i = 0; i < inner; i++) {
      const at = n * inner + i;
      const label = load<i32>(labels + ((<usize>at) << 2));
      const share = shareOf(label, weights, classes, ignored);
      if (share == 0) continue;
      const gradient = load<f32>(dy + ((<usize>(at * step)) << 2));
      store<f32>(dx + ((<usize>((n * classes + label) * inner + i)) << 2), (-share * gradient) / total);
    }
  }
}
