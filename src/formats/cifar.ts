// CIFAR's binary files (Krizhevsky 2009, www.cs.toronto.edu/~kriz/cifar.html): records of a label, or of a coarse and a fine label, and
// 3 × 32 × 32 bytes, the red ones first.

import { FormatError } from "../errors";
import type { Tensor } from "../graph/tensor";

const PIXELS = 3 * 32 * 32;
/** Labels of a record: how many of each there may be. */
const KINDS = [[10], [20, 100]] as const;

export interface Cifar {
  /** u8 [n, 3, 32, 32]. */
  readonly images: Tensor;
  /** i32 [n]: of ten classes, or the fine ones of a hundred. */
  readonly labels: Tensor;
  /** How many classes there are: 10 or 100. */
  readonly classes: number;
  /** i32 [n]: the twenty coarse ones, of CIFAR-100. */
  readonly coarse?: Tensor;
}

/** Labels of a record of these bytes, where they can be CIFAR's. */
function kindOf(bytes: Uint8Array): (typeof KINDS)[number] | undefined {
  return KINDS.find((classes) => {
    const record = classes.length + PIXELS;
    if (bytes.length === 0 || bytes.length % record !== 0) return false;
    for (let at = 0; at < bytes.length; at += record)
      if (!classes.every((count, i) => bytes[at + i]! < count)) return false;
    return true;
  });
}

/** Whether all labels and the size are those of a CIFAR file. */
export const isCifar = (bytes: Uint8Array): boolean => kindOf(bytes) !== undefined;

/** Reads a file of CIFAR-10 or CIFAR-100. Throws a FormatError where its size or a label is that of neither. */
export function readCifar(bytes: Uint8Array, where = "cifar"): Cifar {
  const classes = kindOf(bytes);
  if (!classes)
    throw new FormatError("not a file of CIFAR", {
      where,
      expected: `records of ${1 + PIXELS} bytes with a label below 10, or of ${2 + PIXELS} with labels below 20 and 100`,
      got: `${bytes.length} bytes`,
    });
  const record = classes.length + PIXELS;
  const count = bytes.length / record;
  const images = new Uint8Array(count * PIXELS);
  const labels = classes.map(() => new Int32Array(count));
  for (let i = 0, at = 0; i < count; i++, at += record) {
    for (const [k, of] of labels.entries()) of[i] = bytes[at + k]!;
    images.set(bytes.subarray(at + classes.length, at + record), i * PIXELS);
  }
  const labelsOf = (data: Int32Array): Tensor => ({ dtype: "i32", shape: [count], data });
  return {
    images: { dtype: "u8", shape: [count, 3, 32, 32], data: images },
    labels: labelsOf(labels.at(-1)!),
    classes: classes.at(-1)!,
    ...(labels.length > 1 && { coarse: labelsOf(labels[0]!) }),
  };
}
