// Rounding a layer's weights shifts the mean of its outputs; the bias takes that shift back (Nagel et al. 2019,
// arXiv:1906.04721, §4.2).

import { type LinearLayer, visitWeights } from "../ops/linear-layer";

/**
 * b[o] += Σ (w − ŵ)[o, i, tap] · E[x_i], the difference of the expected outputs (equation 17 there). `means` has one
 * number an input channel, measured on the float model; padding counts as if it had the mean as well.
 */
export function correctBias(
  layer: LinearLayer,
  weights: Float32Array,
  rounded: Float32Array,
  bias: Float32Array | undefined,
  means: Float64Array,
): Float32Array {
  const shift = new Float64Array(layer.outputs);
  const difference = weights.map((w, i) => w - rounded[i]!);
  visitWeights(layer, difference, (output, input, d) => {
    shift[output]! += d * means[input]!;
    return undefined;
  });
  return Float32Array.from(shift, (s, o) => (bias?.[o] ?? 0) + s);
}
