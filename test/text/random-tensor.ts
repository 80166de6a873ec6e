// Tensors of random numbers from a seed.

import { Random } from "../../src/graph/random";
import { sizeOf, type Tensor, tensor } from "../../src/graph/tensor";

/** Uniform in [−most, most). */
export function randomTensor(seed: number, shape: readonly number[], most = 1): Tensor {
  const random = new Random(seed);
  const values = Array.from({ length: sizeOf(shape) }, () => most * (2 * random.uniform() - 1));
  return tensor("f32", shape, values);
}
