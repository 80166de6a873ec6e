// Changes to samples that leave what they show, and what no change may make of them.

import { OctetteError } from "../../errors";
import type { Random } from "../../graph/random";
import type { Tensor } from "../../graph/tensor";

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

/**
 * Throws where a feed of these samples holds NaN, which would be trained on as the zero point of its codes.
 * `rows`: the samples' indices among those trained on.
 */
export function rejectNaN(
  feeds: Readonly<Record<string, Tensor>>,
  rows: Int32Array,
  isAugmented: boolean,
): void {
  for (const [name, fed] of Object.entries(feeds)) {
    const data = fed?.data;
    if (!(data instanceof Float32Array)) continue;
    let at = 0;
    while (at < data.length && !Number.isNaN(data[at])) at++;
    if (at === data.length) continue;
    const size = data.length / rows.length;
    throw new OctetteError("NaN cannot be trained on", {
      code: "argument",
      where: `training sample ${rows[Math.floor(at / size)]}, input "${name}"${isAugmented ? ", augmented" : ""}`,
      expected: "numbers",
      got: `NaN at element ${at % size}`,
    });
  }
}
