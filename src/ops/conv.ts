// Convolution over one or two spatial dimensions, with groups. Pointwise ones are matrix products, depthwise ones have
// kernels of their own, all others gather patches inside the kernel.

import { convScratchBytes, packedDepthwiseBytes } from "../../assembly/f32/sizes";
import {
  convInt8ScratchBytes,
  depthwiseInt8ScratchBytes,
  offsetInt8Bytes,
  packedDepthwiseInt8Bytes,
} from "../../assembly/int8/sizes";
import type { Node, ValueType } from "../graph/graph";
import { type Dim, formatShape, multiplyDims } from "../graph/symbols";
import { bytesPerElement, sizeOf } from "../graph/tensor";
import { perTensor } from "./codes";
import {
  checkBias,
  checkSums,
  type Dense,
  lowerDense,
  lowerDenseInt8,
  packWeights,
  packWeightsInt8,
  realBias,
  type WeightView,
  weightCodes,
} from "./dense";
import { dequantizing, type Finish, isPerRow, requantizing, summing } from "./epilogue";
import { channelsLast } from "./layout";
import {
  type Address,
  behind,
  type Content,
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
} from "./op";
import {
  type Channels,
  slideOf,
  type Window,
  windowAttributes,
  windowOf,
  windowType,
  windowWords,
} from "./window";

export interface Geometry extends Window {
  readonly groups: number;
  readonly outChannels: number;
  readonly taps: number;
}

export function geometryOf(node: Node, x: ValueType, w: ValueType): Geometry {
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
  const window = windowOf(node, x, kernel);
  if (window.channels !== perGroup! * groups || outChannels! % groups !== 0)
    throw opError(node, "channels do not fit the weights", {
      expected: `x with ${perGroup! * groups} channels, in ${groups} group(s)`,
      got: `x ${formatShape(x.shape)}, weights ${formatShape(w.shape)}`,
    });
  return { ...window, groups, outChannels: outChannels!, taps: window.kh * window.kw };
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

const rowsOf = (g: Geometry): Dim => multiplyDims(g.batch, g.outH);
export const macsOf = (g: Geometry): Dim =>
  multiplyDims(g.batch, g.outH * g.outW * g.outChannels * g.taps * (g.channels / g.groups));

/** Weights [O, I/g, kh, kw] of one group, walked tap by tap. */
const viewOf = ({ outChannels, channels, groups, taps }: Geometry): WeightView => ({
  n: outChannels / groups,
  taps,
  channels: channels / groups,
  strideN: (channels / groups) * taps,
  strideTap: 1,
  strideC: taps,
});

export function operands(unit: Unit, c: Lowering) {
  const [x, w, b = ""] = unit.inputs as [string, string, string?];
  const weights = c.constant(w);
  const bias = b === "" ? undefined : c.constant(b);
  if (!weights || (b !== "" && !bias))
    throw opError(unit.node, "weights and bias must be constants", {
      hint: "Fold what computes them before the export",
    });
  return { x, weights, bias, geometry: geometryOf(unit.node, c.type(x), c.type(w)) };
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
  view: viewOf(g),
});

/** The channels of one group, within images of all. */
export const groupChannels = (g: Geometry): Channels => ({
  cin: g.channels / g.groups,
  ldx: g.channels,
  cout: g.outChannels / g.groups,
  ldy: g.outChannels,
});

/** Bytes of one group's weights. */
const groupBytes = ({ shape, dtype }: NamedConstant, groups: number) =>
  (sizeOf(shape) / groups) * bytesPerElement[dtype];

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
    const g = geometryOf(node, x, w);
    return [windowType(g, g.outChannels, "f32")];
  },
  rows: true,
  layout: channelsLast,
  fusesClamp: "always",
  fusesAdd: (node) => numberOf(node, "group", 1) === 1,

  lower(unit, c) {
    const { x, weights, bias, geometry: g } = operands(unit, c);
    const [at, y] = [c.input(x), c.output(unit.outputs[0]!)];
    const { lo = -Infinity, hi = Infinity } = unit.clamp ?? {};
    if (isPointwise(g)) return lowerDense(c, denseOf(unit, g, at, y, weights), bias);
    if (isDepthwise(g)) {
      const packed = c.reserve(packedDepthwiseBytes(g.channels, g.taps));
      c.load("packDepthwise", [packed, c.stage(weights), g.channels, g.taps]);
      const b = bias ? c.data(bias) : NONE;
      const window = c.data(windowWords(slideOf(g, g.channels)));
      return c.emit("depthwise", [y, at, packed, b, window, lo, hi], rowsOf(g), macsOf(g));
    }
    const view = viewOf(g);
    const scratch = c.scratch((most) =>
      convScratchBytes(most(rowsOf(g)), g.outW, g.kh, g.kw * view.channels),
    );
    const window = c.data(windowWords(slideOf(g, groupChannels(g))));
    const staged = c.stage(weights);
    const biases = bias && c.data(bias);
    for (let i = 0; i < g.groups; i++) {
      const packed = packWeights(c, behind(staged, i * groupBytes(weights, g.groups)), view);
      const b = biases ? behind(biases, i * view.n * 4) : NONE;
      const [xg, yg] = [behind(at, i * view.channels * 4), behind(y, i * view.n * 4)];
      c.emit("conv", [yg, xg, packed, b, scratch, window, lo, hi], rowsOf(g), groupMacs(g));
    }
  },

  lowerInteger(unit, c) {
    const { x, weights, bias, geometry: g } = operands(unit, c);
    const { inputs, output } = unit.integer!;
    const xq = inputs[0]?.dynamic ? inputs[0] : perTensor(inputs[0], unit.node);
    if (isPerRow(c, xq))
      throw opError(unit.node, "a convolution reads codes of one scale", { got: "one scale a row" });
    const [at, y] = [c.input(x), c.output(unit.outputs[0]!)];
    if (isPointwise(g)) return lowerDenseInt8(c, denseOf(unit, g, at, y, weights), bias);
    const wq = weightCodes(unit.node, inputs[1], g.outChannels);
    checkBias(unit.node, bias, inputs[2], output);
    const coded = { unit, geometry: g, x: at, y, weights, xq, wq };
    if (!output) {
      const finish = dequantizing(c, unit, xq, wq, g.outChannels, realBias(bias, inputs[2], g.outChannels));
      return convolve(c, coded, undefined, 1, finish);
    }
    if (output.dtype === "i32") {
      checkSums(unit, perTensor(xq, unit.node), wq, output, g.outChannels);
      return lowerConvSums(c, coded, bias);
    }
    const finish = requantizing(c, unit, [xq, wq, perTensor(output, unit.node)], g.outChannels);
    if (isDepthwise(g)) depthwise(c, coded, bias, finish);
    else convolve(c, coded, bias, -xq.zeroPoint[0]!, finish);
  },
};

/** A convolution of codes that is no matrix product. */
export interface Coded {
  readonly unit: Unit;
  readonly geometry: Geometry;
  readonly x: Address;
  readonly y: Address;
  readonly weights: NamedConstant;
  readonly xq: Quantization;
  readonly wq: Quantization;
  /** Of an element of y, where that is not the unit's output. */
  readonly bytes?: number;
}

function depthwise(
  c: Lowering,
  { geometry: g, x, y, weights, xq }: Coded,
  bias: Content | undefined,
  { scale, epilogue }: Finish,
): void {
  const zero = xq.zeroPoint[0]!;
  const window = slideOf(g, g.channels, zero);
  const packed = c.reserve(packedDepthwiseInt8Bytes(window));
  const offset = c.reserve(offsetInt8Bytes(g.channels));
  const from = c.stage(weights);
  const b = bias ? c.stage(bias) : NONE;
  c.load("packDepthwiseInt8", [packed, offset, from, b, -zero, c.stage(windowWords(window))]);
  const scratch = c.scratch(depthwiseInt8ScratchBytes(window));
  const args = [y, x, packed, offset, scale, scratch, c.data(windowWords(window)), epilogue] as const;
  c.emit("depthwiseInt8", args, rowsOf(g), macsOf(g));
}

/** y = Σ (x − zx)·w + bias, int32. */
export const lowerConvSums = (c: Lowering, coded: Coded, bias: Content | undefined): void =>
  convolve(c, coded, bias, -coded.xq.zeroPoint[0]!, summing(c));

/** A step for each group of channels. */
function convolve(
  c: Lowering,
  coded: Coded,
  bias: Content | undefined,
  z: number,
  { scale, addend, range, epilogue }: Finish,
): void {
  const { unit, geometry: g, x, y, weights, xq } = coded;
  const view = { ...viewOf(g), rows: g.kh, taps: g.kw, strideRow: g.kw };
  const window = slideOf(g, groupChannels(g), xq.zeroPoint[0]);
  const scratch = c.scratch(convInt8ScratchBytes(window));
  const slide = c.data(windowWords(window));
  const staged = c.stage(weights);
  const biases = bias ? c.stage(bias) : NONE;
  const bytes = coded.bytes ?? bytesPerElement[c.type(unit.outputs[0]!).dtype];
  for (let i = 0; i < g.groups; i++) {
    const own = (at: Address | typeof NONE) => (at === NONE ? NONE : behind(at, i * view.n * 4));
    const from = behind(staged, i * groupBytes(weights, g.groups));
    const { packed, offset } = packWeightsInt8(c, from, view, own(biases), z);
    const [xg, yg] = [behind(x, i * view.channels), behind(y, i * view.n * bytes)];
    const operands = [yg, xg, packed, offset, own(scale), own(addend), ...range] as const;
    c.emit("convInt8", [...operands, scratch, slide, epilogue], rowsOf(g), groupMacs(g));
  }
}

/** Those of one group. */
export const groupMacs = (g: Geometry): Dim =>
  multiplyDims(g.batch, (g.outH * g.outW * g.outChannels * g.taps * (g.channels / g.groups)) / g.groups);

export const convTraits: Traits = { codes: "layer", homogeneous: undefined, trained: { weight: 1, bias: 2 } };
