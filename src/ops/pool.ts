// Poolings slide a window over channels-last images, or take all of one.

import { Rescale } from "../../assembly/int8/sizes";
import type { Node, ValueType } from "../graph/graph";
import { type Dim, multiplyDims } from "../graph/symbols";
import type { DType } from "../graph/tensor";
import { codeBounds, perTensor } from "./codes";
import { requireSameCodes } from "./copy";
import { channelsLast } from "./layout";
import {
  type Address,
  inputType,
  type Lowering,
  numberOf,
  numbersOf,
  type Op,
  opError,
  type Traits,
  type Unit,
} from "./op";
import { numbered, slideOf, type Window, windowDims, windowType, windowWords } from "./window";

/** A Rescale's fields in memory, in the struct's order. */
export const rescaleWords = (fields: Rescale): Float32Array =>
  Float32Array.from(Object.values(Object.assign(new Rescale(), fields)));

export type WindowRule = (node: Node, x: ValueType) => Window<Dim>;

/** The window that `kernel_shape` and its companions describe. */
export const attributeWindow: WindowRule = (node, x) => {
  const kernel = numbersOf(node, "kernel_shape", []);
  if (kernel.length === 0) throw opError(node, "kernel_shape is missing");
  return windowDims(node, x, kernel);
};

/** The same in numbers, as kernels take it. */
export const attributeWindowIn = (node: Node, x: ValueType): Window =>
  numbered(node, x, attributeWindow(node, x));

/** The whole image. */
export const globalWindow: WindowRule = (node, x) =>
  windowDims({ ...node, attributes: {} }, x, x.shape.slice(2));

/** A pooling's window in memory. */
export const poolWindow = (c: Lowering, w: Window): Address => c.data(windowWords(slideOf(w, w.channels)));

/** The same of a mean, which divides by the positions that count. */
export function meanWindow(c: Lowering, node: Node, w: Window): Address {
  const all = numberOf(node, "count_include_pad", 0) === 1;
  const cover = all ? { coverH: w.coverH, coverW: w.coverW } : {};
  return c.data(windowWords({ ...slideOf(w, w.channels), ...cover }));
}

/** Largest element of every window; padding is ignored. Codes keep their scale. */
// @__NO_SIDE_EFFECTS__
export function maxPooling(windowFor: WindowRule): Op {
  const lower = (unit: Unit, c: Lowering) => {
    const [x, y] = [unit.inputs[0]!, unit.outputs[0]!];
    const type = c.type(x);
    const w = numbered(unit.node, type, windowFor(unit.node, type));
    const kernel = type.dtype === "f32" ? "maxPool" : "maxPoolU8";
    c.emit(kernel, [c.output(y), c.input(x), poolWindow(c, w)], multiplyDims(w.batch, w.outH));
  };
  return {
    ...pooling(windowFor, ["f32", "u8", "i8"]),
    lower,
    lowerInteger(unit, c) {
      requireSameCodes(unit);
      lower(unit, c);
    },
  };
}

/** Mean of every window. Codes are summed in int32 and requantized once. */
// @__NO_SIDE_EFFECTS__
export function averagePooling(windowFor: WindowRule): Op {
  return {
    ...pooling(windowFor),
    fusesClamp: "integer",
    lower(unit, c) {
      const [x, y] = [unit.inputs[0]!, unit.outputs[0]!];
      const w = numbered(unit.node, c.type(x), windowFor(unit.node, c.type(x)));
      const args = [c.output(y), c.input(x), meanWindow(c, unit.node, w)] as const;
      c.emit("averagePool", args, multiplyDims(w.batch, w.outH));
    },
    lowerInteger(unit, c) {
      const [x, y] = [unit.inputs[0]!, unit.outputs[0]!];
      const { inputs, output } = unit.integer!;
      const [xq, yq] = [perTensor(inputs[0], unit.node), perTensor(output, unit.node)];
      const w = numbered(unit.node, c.type(x), windowFor(unit.node, c.type(x)));
      const rescale = {
        ...{ xScale: xq.scale[0]!, xZero: xq.zeroPoint[0]! },
        ...{ yScale: yq.scale[0]!, yZero: yq.zeroPoint[0]! },
        ...codeBounds(unit.clamp, yq),
      };
      const numbers = c.data(rescaleWords(rescale));
      const args = [c.output(y), c.input(x), meanWindow(c, unit.node, w), numbers] as const;
      c.emit("averagePoolU8", args, multiplyDims(w.batch, w.outH));
    },
  };
}

/** Channels stay where they are. */
export const inWindows: Traits["homogeneous"] = (_, axis) => axis === 1;

const pooling = (windowFor: WindowRule, dtypes: readonly DType[] = ["f32"]): Op => ({
  infer(node, inputs) {
    const x = inputType(node, inputs, 0);
    if (!dtypes.includes(x.dtype))
      throw opError(node, "element type does not fit", { expected: dtypes.join(", "), got: x.dtype });
    if (node.outputs.length > 1) throw opError(node, "a second output (indices) is not supported");
    const w = windowFor(node, x);
    return [windowType(w, w.channels, x.dtype)];
  },
  rows: true,
  layout: channelsLast,
});
