// Transposed convolution over one or two spatial dimensions, with groups: for each phase of the strides a convolution, by the
// kernels of those. Over floats they write to every stride-th pixel, over codes to memory of their own, which is copied there.

import type { Window as Slide } from "../../../assembly/lanes/window";
import { formatShape, multiplyDims, type Shape } from "../../graph/symbols";
import { type Convolution, convolve, convolveInt8, type LayerFinish, layerFinish } from "../convolve";
import { emitCopy } from "../copy";
import { layerOperands } from "../dense";
import { channelsLast } from "../layout";
import {
  type Address,
  behind,
  floatType,
  type Lowering,
  NONE,
  numberOf,
  type Op,
  opError,
  type Traits,
  type Unit,
} from "../op";
import {
  dimsOf,
  type Geometry,
  geometryAttributes,
  geometryOf,
  isDepthwise,
  type Phase,
  phasesOf,
  slideOver,
} from "./transposed-window";

/** What a unit reads: weights and bias are constants. */
export function operands(unit: Unit, c: Lowering) {
  const own = layerOperands(unit, c);
  return { ...own, geometry: geometryOf(unit.node, c.type(own.x), own.weights) };
}

/** Weights of a phase, [o][i/group][kernel rows][kernel columns] as a convolution has them, of elements of `size` bytes. */
function phaseWeights(c: Lowering, g: Geometry, phase: Phase, weights: Address, size: 1 | 4): Address {
  const { firstTap, stepRow, stepTap, window } = phase;
  const { kh, kw } = window;
  const pairs = (g.outChannels * g.channels) / g.groups;
  const to = c.stage(pairs * kh * kw * size);
  const from = behind(weights, firstTap * size);
  const ySteps = [kh * kw * size, 0, 0, 0, kw * size, size] as const;
  const xSteps = [g.taps * size, 0, 0, 0, stepRow * size, stepTap * size] as const;
  if (kh * kw > 0) c.load("copyStrided", [to, from, size, 1, 1, 1, kh, kw, ...ySteps, ...xSteps, 0, pairs]);
  return to;
}

function lower(unit: Unit, c: Lowering): void {
  const { x, weights, bias, geometry: g } = operands(unit, c);
  const [from, to, staged] = [c.input(x), c.output(unit.outputs[0]!), c.stage(weights)];
  const own = {
    batch: g.batch,
    groups: g.groups,
    depthwise: isDepthwise(g),
    x: from,
    bias: bias ? c.data(bias) : NONE,
  };
  for (const phase of phasesOf(slideOver(g, own.depthwise))) {
    const make = () => {
      const y = behind(to, phase.at * 4);
      const weights = phaseWeights(c, g, phase, staged, 4);
      convolve(c, { ...own, slide: phase.window, y, weights }, unit.clamp);
    };
    // How many phases meet no tap depends on the image: they load nothing of the weights.
    if (phase.window.kh * phase.window.kw > 0) make();
    else c.apart(make);
  }
}

function lowerInteger(unit: Unit, c: Lowering): void {
  const { x, weights, bias, geometry: g } = operands(unit, c);
  const places = { x: c.input(x), y: c.output(unit.outputs[0]!), weights: c.stage(weights) };
  const finish = () => layerFinish(unit, c, bias, g.outChannels);
  lowerPhases(unit, c, g, places, finish, isDepthwise(g));
}

/** Every phase over codes, and a copy to its pixels where it is not alone. `finishOf` loads what a phase needs beside its weights. */
export function lowerPhases(
  { node }: Unit,
  c: Lowering,
  g: Geometry,
  { x, y, weights }: Pick<Convolution, "x" | "y" | "weights">,
  finishOf: () => LayerFinish,
  isDepthwise = false,
): void {
  const finish = finishOf();
  const { bytes, zero } = finish;
  const depthwise = isDepthwise && bytes === 1;
  const slide = slideOver(g, depthwise);
  const isAlone = Math.min(slide.strideH, slide.inH) * Math.min(slide.strideW, slide.inW) === 1;
  const own = { batch: g.batch, groups: g.groups, depthwise, x };
  for (const phase of phasesOf(slide)) {
    const { outH, outW, ldy, lineY, imageY, kh, kw } = phase.window;
    const dense = denseWindow(phase.window, g, zero);
    const to = isAlone ? y : c.temporary(multiplyDims(g.batch, dense.imageY * bytes));
    if (kh * kw > 0)
      convolveInt8(c, {
        ...own,
        ...finish,
        slide: dense,
        y: to,
        weights: phaseWeights(c, g, phase, weights, 1),
      });
    else
      c.apart(() =>
        convolveInt8(c, { ...own, ...finishOf(), slide: dense, y: to, weights: c.stage(noWeights(g)) }),
      );
    if (isAlone || outH * outW === 0) continue;
    emitCopy(node, c, bytes === 1 ? "u8" : "i32", behind(y, phase.at * bytes), to, [
      { extent: g.batch, y: imageY, x: dense.imageY },
      { extent: outH, y: lineY, x: dense.lineY },
      { extent: outW, y: ldy, x: dense.ldy },
      { extent: g.outChannels, y: 1, x: 1 },
    ]);
  }
}

/** One tap of zeros. */
const noWeights = (g: Geometry) => new Int8Array((g.outChannels * g.channels) / g.groups);

/** A phase over memory of its own. One without taps has one of zeros: its pixels are the bias. */
function denseWindow(phase: Slide, { outChannels }: Geometry, outside: number): Slide {
  const lineY = phase.outW * outChannels;
  const dense = { ...phase, ldy: outChannels, lineY, imageY: phase.outH * lineY, outside };
  if (phase.kh * phase.kw > 0) return dense;
  return { ...dense, kh: 1, kw: 1, dilationH: 1, dilationW: 1, padTop: 0, padLeft: 0 };
}

/**
 * y[q] = Σ x[p]·w + b over all p and taps k where q = stride·p + dilation·k − pad: x [n, c, spatial…] f32, w [o, c/group, kernel…],
 * b [o]. ONNX ConvTranspose-22, whose weights [c, o/group, kernel…] are brought to this order on import.
 */
export const convTranspose: Op = {
  inputs: 3,
  attributes: geometryAttributes,
  infer(node, inputs) {
    const [x, w] = [floatType(node, inputs, 0), floatType(node, inputs, 1)];
    const { batch, outChannels, outSpatial } = dimsOf(node, x, w);
    const bias = inputs[2] && floatType(node, inputs, 2).shape;
    if (bias && (bias.length !== 1 || bias[0] !== outChannels))
      throw opError(node, "bias does not fit", { expected: `[${outChannels}]`, got: formatShape(bias) });
    return [{ dtype: "f32", shape: [batch, outChannels, ...outSpatial] as Shape }];
  },
  rows: true,
  layout: channelsLast,
  fusesClamp: "always",
  lower,
  lowerInteger,
};

export const convTransposeTraits: Traits = {
  codes: "layer",
  images: true,
  channels: "second",
  homogeneous: undefined,
  trained: { weight: 1, bias: 2 },
  equal: (node, [x, weights]) => [[x![1], multiplyDims(weights![1] ?? 1, numberOf(node, "group", 1))]],
};
