// Changes to images that leave what they show.

import type { Random } from "../graph/random";
import type { Tensor } from "../graph/tensor";

/** A copy of images [n, c, h, w] in which some, chosen at random, are mirrored left to right. */
export function flipped({ dtype, shape, data }: Tensor, random: Random): Tensor {
  const images = data.slice();
  const [n = 0, channels = 1, height = 1, width = 1] = shape;
  const size = channels * height * width;
  for (let i = 0; i < n; i++) {
    if (random.below(2) === 0) continue;
    for (let at = i * size; at < (i + 1) * size; at += width) images.subarray(at, at + width).reverse();
  }
  return { dtype, shape, data: images };
}
