// Convolution, with groups, whose kernels here are those over one or two spatial dimensions. Pointwise ones are matrix products, depthwise ones have
// kernels of their own, all others gather patches inside the kernel.

import type { Node, ValueType } from "../../graph/graph";
import { type Dim, formatShape, multiplyDims } from "../../graph/symbols";
import { sizeOf } from "../../graph/tensor";
import { type Convolution, convolve, convolveInt8, layerFinish, viewOf } from "../convolve";
import { type Dense, layerOperands, lowerDense, lowerDenseInt8 } from "../dense";
import { summing } from "../epilogue";
import { channelsLast } from "../layout";
import {
  type Address,
  floatType,
  type Lowering,
  type NamedConstant,
  NONE,
  numberOf,
  numbersOf,
  type Op,
  opError,
  type Quantization,
  type Traits,
  type Unit,
} from "../op";
import {
  type Channels,
  numbered,
  slideOf,
  type Window,
  windowAttributes,
  windowDims,
  windowType,
} from "../window";

interface Layer {
  readonly groups: number;
  readonly outChannels: number;
  readonly taps: number;
}
export type Geometry = Window & Layer;

/** As `dimsOf`, in numbers. Throws SizesNeeded where the image's size is not known. */
export const geometryOf = (node: Node, x: ValueType, w: ValueType): Geometry =>
  numbered(node, x, dimsOf(node, x, w));

function dimsOf(node: Node, x: ValueType, w: ValueType): Window<Dim> & Layer {
  const groups = numberOf(node, "group", 1);
  if (!Number.isInteger(groups) || groups < 1)
    throw opError(node, "group is not a number of groups", {
      expected: "a whole number ≥ 1",
      got: `${groups}`,
    });
  const [outChannels, perGroup, ...kernel] = w.shape as number[];
  const named = numbersOf(node, "kernel_shape", kernel);
  if (`${named}` !== `${kernel}`)
    throw opError(node, "kernel_shape is not that of the weights", { got: formatShape(named) });
  const window = windowDims(node, x, kernel);
  if (window.channels !== perGroup! * groups || outChannels! % groups !== 0)
    throw opError(node, "channels do not fit the weights", {
      expected: `x with ${perGroup! * groups} channels, in ${groups} group(s)`,
      got: `x ${formatShape(x.shape)}, weights ${formatShape(w.shape)}`,
    });
  return { ...window, groups, outChannels: outChannels!, taps: sizeOf(kernel) };
}

/** Every output pixel is one input pixel times a matrix. */
export const isPointwise = (g: Geometry) =>
  g.groups === 1 &&
  g.taps === 1 &&
  g.strideH === 1 &&
  g.strideW === 1 &&
  g.inH === g.outH &&
  g.inW === g.outW;

export const isDepthwise = (g: Geometry) =>
  g.groups > 1 && g.groups === g.channels && g.groups === g.outChannels;

/** What is left: one group, whose output pixels are windows. */
export const isSpatial = (g: Geometry) => g.groups === 1 && !isPointwise(g);

export const macsOf = (g: Geometry): Dim =>
  multiplyDims(g.batch, g.outH * g.outW * g.outChannels * g.taps * (g.channels / g.groups));

export function operands(unit: Unit, c: Lowering) {
  const own = layerOperands(unit, c);
  return { ...own, geometry: geometryOf(unit.node, c.type(own.x), own.weights) };
}

/** A pointwise convolution as the matrix product that it is. */
export const denseOf = (unit: Unit, g: Geometry, x: Address, y: Address, weights: NamedConstant): Dense => ({
  unit,
  x,
  ldx: g.channels,
  y,
  ldy: g.outChannels,
  rows: multiplyDims(g.batch, g.outH * g.outW),
  weights,
  view: viewOf(slideOf(g, groupChannels(g))),
});

/** The channels of one group, within images of all. */
export const groupChannels = (g: Geometry): Channels => ({
  cin: g.channels / g.groups,
  ldx: g.channels,
  cout: g.outChannels / g.groups,
  ldy: g.outChannels,
});

/** Convolution, ONNX Conv-22: x [n, c, spatial…] f32, w [o, c/group, kernel…], b [o]. */
export const conv: Op = {
  inputs: 3,
  attributes: /* @__PURE__ */ windowAttributes.concat("group"),
  infer(node, inputs) {
    const [x, w] = [floatType(node, inputs, 0), floatType(node, inputs, 1)];
    if (w.shape.some((dim) => typeof dim !== "number") || w.shape.length !== x.shape.length)
      throw opError(node, "weights do not fit the input", {
        expected: "weights of known shape and the input's rank",
        got: `x ${formatShape(x.shape)}, weights ${formatShape(w.shape)}`,
      });
    const bias = inputs[2] && floatType(node, inputs, 2);
    if (bias && (bias.shape.length !== 1 || bias.shape[0] !== w.shape[0]))
      throw opError(node, "bias does not fit", { expected: `[${w.shape[0]}]`, got: formatShape(bias.shape) });
    const g = dimsOf(node, x, w);
    return [windowType(g, g.outChannels, "f32")];
  },
  rows: true,
  layout: channelsLast,
  fusesClamp: "always",
  fusesAdd: (node) => numberOf(node, "group", 1) === 1,

  lower(unit, c) {
    const { x, weights, bias, geometry: g } = operands(unit, c);
    const [from, y] = [c.input(x), c.output(unit.outputs[0]!)];
    if (isPointwise(g)) return lowerDense(c, denseOf(unit, g, from, y, weights), bias);
    const own = { x: from, y, weights: c.stage(weights), bias: bias ? c.data(bias) : NONE };
    convolve(c, { ...windowOver(g, isDepthwise(g)), ...own }, unit.clamp);
  },

  lowerInteger(unit, c) {
    const { x, weights, bias, geometry: g } = operands(unit, c);
    const [from, y] = [c.input(x), c.output(unit.outputs[0]!)];
    if (isPointwise(g)) return lowerDenseInt8(c, denseOf(unit, g, from, y, weights), bias);
    const sums = layerFinish(unit, c, bias, g.outChannels);
    const makesCodes = sums.bytes === 1;
    const own = { x: from, y, weights: c.stage(weights), ...sums };
    convolveInt8(c, { ...windowOver(g, isDepthwise(g) && makesCodes, sums.zero), ...own });
  },
};

/** y = Σ (x − zx)·w + bias, int32. */
export function lowerConvSums(
  c: Lowering,
  g: Geometry,
  { zeroPoint: [zero = 0] }: Quantization,
  operands: Pick<Convolution, "x" | "y" | "weights" | "bias">,
): void {
  const sums = { finish: summing(c), zero, z: -zero, bytes: 4 };
  convolveInt8(c, { ...windowOver(g, false, zero), ...operands, ...sums });
}

const windowOver = (g: Geometry, depthwise: boolean, outside?: number) => ({
  batch: g.batch,
  groups: g.groups,
  slide: slideOf(g, depthwise ? g.channels : groupChannels(g), outside),
  depthwise,
});

/** Those of one group. */
export const groupMacs = (g: Geometry): Dim =>
  multiplyDims(g.batch, (g.outH * g.outW * g.outChannels * g.taps * (g.channels / g.groups)) / g.groups);

export const convTraits: Traits = {
  codes: "layer",
  images: true,
  channels: "second",
  homogeneous: undefined,
  trained: { weight: 1, bias: 2 },
  depth: ([, weights]) => weights!.slice(1),
  equal: (node, [x, weights]) => [[x![1], multiplyDims(weights![1] ?? 1, numberOf(node, "group", 1))]],
};
