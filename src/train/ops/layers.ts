// Conv and Linear in training: weights and bias may be what the step computes, and codes come with the mask of
// their gradient. Sums over codes are those of the deployed kernels; what the deployed epilogue does in registers is a
// step of its own here, because the mask is read off the sums.

import { depthwiseInt8SumsScratchBytes } from "../../../assembly/train/sizes";
import { countOf, type Dim, divideDims, multiplyDims } from "../../graph/symbols";
import { codeBounds, heldAbove, perTensor } from "../../ops/codes";
import {
  conv,
  denseOf,
  type Geometry,
  isDepthwise,
  isPointwise,
  lowerConvSums,
  operands,
} from "../../ops/core/conv";
import { linear, linearOf } from "../../ops/core/linear";
import { type Dense, lowerDenseSums, weightCodes } from "../../ops/dense";
import { scalesOf } from "../../ops/epilogue";
import {
  type Address,
  type Content,
  type Lowering,
  type NamedConstant,
  NONE,
  numberOf,
  type Op,
  type Quantization,
  type Unit,
} from "../../ops/op";
import { slideOf, windowWords } from "../../ops/window";
import { everyRun } from "./every-run";
import { withMask } from "./quantize";
import { numberIn } from "./scalar";

/** The lowering for a unit: that of every run where its weights or bias are computed. */
const loweringFor = (unit: Unit, c: Lowering): Lowering =>
  unit.inputs.slice(1).every((value) => value === "" || c.constant(value)) ? c : everyRun(c);

/** Whether the deployed kernels do: nothing of the unit is computed and nobody asks for its mask or its range. */
const isDeployed = (unit: Unit, c: Lowering): boolean =>
  unit.outputs.slice(1).every((value) => value === "") &&
  unit.inputs.slice(1).every((value) => value === "" || c.constant(value));

/** What a layer's sums are made of, once its geometry is known. */
export interface Sums {
  readonly rows: Dim;
  readonly channels: number;
  emit(c: Lowering, y: Address): void;
}

/** An op that is trained: float steps as they are, over codes sums that are requantized with their mask. */
export function trained(op: Op, sumsOf: (unit: Unit, c: Lowering) => Sums): Op {
  return withMask(op, {
    // The mask of its own codes is wanted, which an addition behind it would not let come to be.
    fusesAdd: () => false,
    lower: (unit, c) => op.lower!(unit, loweringFor(unit, c)),
    lowerInteger(unit, c) {
      const lowering = loweringFor(unit, c);
      if (!unit.integer!.output || isDeployed(unit, c)) return op.lowerInteger!(unit, lowering);
      const { rows, channels, emit } = sumsOf(unit, lowering);
      const sums = c.temporary(multiplyDims(4 * channels, rows));
      emit(lowering, sums);
      requantizeMasked(unit, lowering, sums, channels);
    },
  });
}

/** y = codes of the sums, where their gradient passes, and the range of what the sums stand for. */
function requantizeMasked(unit: Unit, c: Lowering, sums: Address, channels: number): void {
  const { inputs, output } = unit.integer!;
  const [y, mask = "", range = ""] = unit.outputs as [string, string?, string?];
  const [xq, yq] = [perTensor(inputs[0], unit.node), perTensor(output, unit.node)];
  const scale = scalesOf(c, weightCodes(unit.node, inputs[1], channels), channels);
  const [multipliers, sumScales] = [c.temporary(channels * 4), c.temporary(channels * 4)];
  c.emit("multipliers", [multipliers, scale, xq.scale[0]!, yq.scale[0]!], channels);
  c.emit("sumScales", [sumScales, scale, xq.scale[0]!], channels);
  const [batch, ...rest] = c.type(y).shape;
  const pixels = divideDims(countOf(rest), channels)!;
  const { lo, hi } = codeBounds(unit.clamp, yq);
  const { lo: low = -Infinity, hi: high = Infinity } = unit.clamp ?? {};
  c.emit(
    "requantizeMasked",
    [
      c.output(y),
      mask === "" ? NONE : c.output(mask),
      sums,
      multipliers,
      sumScales,
      pixels,
      channels,
      yq.zeroPoint[0]!,
      lo,
      hi,
      low,
      high,
    ],
    batch!,
  );
  if (range === "") return;
  c.emit("sumExtremes", [c.output(range), sums, sumScales, pixels, channels, low, high], batch!);
}

const denseSums = (dense: Omit<Dense, "y">, xq: Quantization, bias: Content | undefined): Sums => ({
  rows: dense.rows,
  channels: dense.view.n,
  emit: (c, y) => lowerDenseSums(c, { ...dense, y, ldy: dense.view.n }, xq, bias),
});

function linearSums(unit: Unit, c: Lowering): Sums {
  const { dense, bias } = linearOf(unit, c);
  return denseSums(dense, perTensor(unit.integer!.inputs[0], unit.node), bias);
}

function convSums(unit: Unit, c: Lowering): Sums {
  const { x, weights, bias, geometry: g } = operands(unit, c);
  const xq = perTensor(unit.integer!.inputs[0], unit.node);
  const at = c.input(x);
  const rows = countOf([g.batch, g.outH, g.outW]);
  if (isPointwise(g)) return denseSums(denseOf(unit, g, at, at, weights), xq, bias);
  weightCodes(unit.node, unit.integer!.inputs[1], g.outChannels);
  return {
    rows,
    channels: g.outChannels,
    emit(lowering, y) {
      if (isDepthwise(g)) return depthwiseSums(lowering, g, { x: at, y }, xq, weights, bias);
      const constants = { weights: lowering.stage(weights), bias: bias ? lowering.stage(bias) : NONE };
      lowerConvSums(lowering, g, xq, { x: at, y, ...constants });
    },
  };
}

function depthwiseSums(
  c: Lowering,
  g: Geometry,
  { x, y }: { readonly x: Address; readonly y: Address },
  { zeroPoint }: Quantization,
  weights: NamedConstant,
  bias: Content | undefined,
): void {
  const window = slideOf(g, g.channels, zeroPoint[0]);
  const scratch = c.scratch(depthwiseInt8SumsScratchBytes(window));
  const operands = [y, x, c.data(weights), bias ? c.data(bias) : NONE, scratch] as const;
  const macs = countOf([g.batch, g.outH, g.outW, g.channels, g.taps]);
  c.emit("depthwiseInt8Sums", [...operands, c.data(windowWords(window))], countOf([g.batch, g.outH]), macs);
}

const trainedConv = trained(conv, convSums);
const trainedLinear = trained(linear, linearSums);

/**
 * ds of the scale of a layer's codes, a number a sample, from its sums, which are found once more: inputs x, w and bias as codes
 * ("" without), scales of the weights, dy, scales and zero points of x and y. Attributes are those of the layer, the bounds of the
 * activation, and a factor.
 */
export const scaleGradient = (sumsOf: (unit: Unit, c: Lowering) => Sums, layout: Op["layout"]): Op => ({
  infer: (_, inputs) => [{ dtype: "f32", shape: [inputs[4]!.shape[0] ?? 1] }],
  ...(layout ? { layout } : {}),
  rows: true,
  lower({ node, inputs, outputs }, c) {
    const [x, w, bias, scale, dy, ...names] = inputs as [string, string, string, string, string, ...string[]];
    const [xScale, xZero, yScale, yZero] = names.map((name) =>
      name === "" ? heldAbove(c.type(x).dtype) : numberIn(c.constant(name)!),
    ) as [number, number, number, number];
    const none = { zeroPoint: new Int32Array(0), scale: new Float32Array(0), axis: 0 };
    const xq = {
      codes: x,
      dtype: "u8",
      scale: Float32Array.of(xScale),
      zeroPoint: Int32Array.of(xZero),
      axis: 0,
    } as const;
    const wq = { ...none, codes: w, dtype: "i8", dynamic: { scale, zeroPoint: "" } } as const;
    const unit: Unit = { node, inputs: [x, w, bias], outputs, integer: { inputs: [xq, wq] } };
    const lowering = loweringFor(unit, c);
    const { rows, channels, emit } = sumsOf(unit, lowering);
    const [sums, m] = [c.temporary(multiplyDims(4 * channels, rows)), c.temporary(channels * 4)];
    emit(lowering, sums);
    c.emit("multipliers", [m, c.input(scale), xScale, yScale], channels);
    const [batch = 1, ...rest] = c.type(dy).shape;
    const sizes = [divideDims(countOf(rest), channels)!, channels] as const;
    const [lo, hi] = [numberOf(node, "lo", -Infinity), numberOf(node, "hi", Infinity)];
    const numbers = [yScale, yZero, lo, hi, numberOf(node, "factor", 0)] as const;
    c.emit("sumScaleGradient", [c.output(outputs[0]!), c.input(dy), sums, m, ...sizes, ...numbers], batch);
  },
});

export const convScaleGradient = scaleGradient(convSums, () => ({
  inputs: ["channelsLast", "plain", "plain", "plain", "channelsLast"],
  outputs: ["plain"],
}));
export const linearScaleGradient = scaleGradient(linearSums, linear.layout);

export { trainedConv as conv, trainedLinear as linear };
