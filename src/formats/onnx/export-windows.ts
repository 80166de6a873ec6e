// The way back of pools whose sizes are rounded up. A last window that begins in the padding is left out,
// but shape inference of ONNX counts it. Such a pool is written with the padding that its windows take, and rounded down.

import type { Node } from "../../graph/graph";
import type { Target, Way } from "./target";
import { writeSame } from "./ways";

const numbersOf = (node: Node, name: string, length: number, other: number): readonly number[] => {
  const value = node.attributes[name];
  return Array.isArray(value) ? (value as readonly number[]) : new Array(length).fill(other);
};

/** The padding of a pool rounded down that has the same windows; undefined where it may be written as it is. */
function padsOf(node: Node, target: Target): readonly number[] | undefined {
  const { ceil_mode, auto_pad = "NOTSET", count_include_pad } = node.attributes;
  const [, , ...sizes] = target.type(node.inputs[0]!).shape;
  // A mean that counts its padding would count more of it.
  if (Number(ceil_mode ?? 0) === 0 || auto_pad !== "NOTSET" || Number(count_include_pad ?? 0) !== 0)
    return undefined;
  const rank = sizes.length;
  const kernel = numbersOf(node, "kernel_shape", rank, 1);
  const [strides, dilations] = [numbersOf(node, "strides", rank, 1), numbersOf(node, "dilations", rank, 1)];
  const pads = numbersOf(node, "pads", 2 * rank, 0);
  let isBeyond = false;
  const ends = sizes.map((size, i) => {
    if (typeof size !== "number") return pads[rank + i]!;
    const [stride, begin, end] = [strides[i]!, pads[i]!, pads[rank + i]!];
    const extent = (kernel[i]! - 1) * dilations[i]! + 1;
    const rounded = Math.ceil((size + begin + end - extent) / stride) + 1;
    const windows = Math.min(rounded, Math.ceil((size + begin) / stride));
    isBeyond ||= windows < rounded;
    return Math.max(0, (windows - 1) * stride + extent - size - begin);
  });
  const isKnown = sizes.every((size) => typeof size === "number");
  return isBeyond && isKnown ? [...pads.slice(0, rank), ...ends] : undefined;
}

const pool =
  (op: string): Way =>
  (node, target) => {
    const pads = padsOf(node, target);
    writeSame(node, target, { op, ...(pads && { attributes: { ceil_mode: undefined, pads } }) });
  };

export const averagePool = pool("AveragePool");
export const maxPool = pool("MaxPool");
export { averagePool as generalAveragePool, maxPool as generalMaxPool };
