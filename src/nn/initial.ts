// Weights as PyTorch's layers begin with them, and the counts they are made for.

import type { Random } from "../graph/random";
import { sizeOf, type Tensor, tensor } from "../graph/tensor";
import type { Names } from "../options";
import { layerError } from "./value";

/** Options of a normalization. */
export interface NormOptions {
  /** Added to the variance, default 1e-5. */
  readonly eps?: number;
}

export const NORM = { eps: 1 } satisfies Names<NormOptions>;
export const EPS = 1e-5;

/**
 * Numbers uniform in ±bound, rounded to f32. With bound = 1 / √fanIn it is Kaiming's uniform initialisation with a = √5, which
 * PyTorch gives to Linear and Conv2d, weights and biases (He et al. 2015, arXiv:1502.01852).
 */
export const uniform = (random: Random, shape: readonly number[], bound: number): Tensor =>
  tensor(
    "f32",
    shape,
    Float32Array.from({ length: sizeOf(shape) }, () => (2 * random.uniform() - 1) * bound),
  );

export const filled = (shape: readonly number[], value: number): Tensor =>
  tensor("f32", shape, new Float32Array(sizeOf(shape)).fill(value));

/** Throws where one of these is not a whole number from `least` on. */
export function checkCount(where: string, counts: Readonly<Record<string, number>>, least = 1): void {
  for (const [name, count] of Object.entries(counts))
    if (!Number.isInteger(count) || count < least)
      throw layerError(where, `${name} does not fit`, {
        expected: `a whole number from ${least}`,
        got: String(count),
      });
}
