// ConvTranspose in training. Its output is the input of the convolution that it is the transpose of: dx is that convolution of dy, and
// dw its weight gradient with the images exchanged.

import {
  convWeightGradientScratchBytes,
  depthwiseWeightGradientScratchBytes,
} from "../../../assembly/train/sizes";
import type { Node } from "../../graph/graph";
import { countOf, multiplyDims } from "../../graph/symbols";
import { perTensor } from "../../ops/codes";
import { convolve } from "../../ops/convolve";
import { emitCopy } from "../../ops/copy";
import { weightCodes } from "../../ops/dense";
import { summing } from "../../ops/epilogue";
import { type Address, behind, type Lowering, NONE, type Op, type Unit } from "../../ops/op";
import { convTranspose as deployed, lowerPhases, operands } from "../../ops/vision/conv-transpose";
import { type Geometry, geometryOf, isDepthwise, slideOver } from "../../ops/vision/transposed-window";
import { windowWords } from "../../ops/window";
import { everyRun } from "./every-run";
import { gradientTypes, imageGradient, inputCodes, realWeights, shapeOf, summed } from "./layer-gradients";
import { type Sums, scaleGradient, trained } from "./layers";

function sumsOf(unit: Unit, c: Lowering): Sums {
  const { x, weights, bias, geometry: g } = operands(unit, c);
  const [zero = 0] = perTensor(unit.integer!.inputs[0], unit.node).zeroPoint;
  weightCodes(unit.node, unit.integer!.inputs[1], g.outChannels);
  const from = c.input(x);
  return {
    rows: countOf([g.batch, ...g.outSpatial]),
    channels: g.outChannels,
    emit(lowering, y) {
      const finish = () => {
        const own = bias ? lowering.stage(bias) : NONE;
        return { finish: summing(lowering), bias: own, zero, z: -zero, bytes: 4 };
      };
      lowerPhases(unit, lowering, g, { x: from, y, weights: lowering.stage(weights) }, finish);
    },
  };
}

export const convTranspose = trained(deployed, sumsOf);

export const convTransposeScaleGradient = scaleGradient(sumsOf, () => ({
  inputs: ["channelsLast", "plain", "plain", "plain", "channelsLast"],
  outputs: ["plain"],
}));

/** dx: inputs dy, w, scales of its codes or "", a gradient to add to or ""; `shape` is that of x. */
export const convTransposeInputGradient = imageGradient((unit, c) => {
  const [dy, w] = unit.inputs as [string, string];
  const g = geometryOf(unit.node, { dtype: "f32", shape: shapeOf(unit.node) }, c.type(w));
  const [real, depthwise] = [realWeights(unit, c), isDepthwise(g)];
  const slide = slideOver(g, depthwise);
  let weights = real;
  if (!depthwise) {
    weights = c.temporary(g.groups * slide.cin * slide.cout * g.taps * 4);
    turn(unit.node, c, g, [slide.cin, slide.cout], weights, real);
  }
  const own = { batch: g.batch, groups: g.groups, slide, depthwise, x: c.input(dy), weights, bias: NONE };
  summed(unit, c, (y) => convolve(everyRun(c), { ...own, y }, undefined));
});

/** [group][a][b][taps] → [group][b][a][taps]. */
function turn(
  node: Node,
  c: Lowering,
  { groups, taps }: Geometry,
  [a, b]: readonly [number, number],
  to: Address,
  from: Address,
): void {
  emitCopy(node, c, "f32", to, from, [
    { extent: groups, y: a * b * taps, x: a * b * taps },
    { extent: b, y: a * taps, x: taps },
    { extent: a, y: taps, x: b * taps },
    { extent: taps, y: 1, x: 1 },
  ]);
}

/** dw: inputs dy, x and, of codes, scale and zero point; `shape` is that of w. */
export const convTransposeWeightGradient: Op = {
  infer: gradientTypes,
  sums: true,
  layout: () => ({ inputs: ["channelsLast", "channelsLast"], outputs: ["plain"] }),
  lower(unit, c) {
    const [dy, x] = unit.inputs as [string, string];
    const shape = shapeOf(unit.node);
    const image = c.type(x).shape;
    const g = geometryOf(unit.node, { dtype: "f32", shape: image }, { dtype: "f32", shape });
    const [to, y] = [c.output(unit.outputs[0]!), c.input(dy)];
    let from = c.input(x);
    const [isCoded, ...affine] = inputCodes(unit, c);
    if (isCoded) {
      const codes = from;
      from = c.temporary(multiplyDims(countOf(image), 4));
      c.emit("dequantize", [from, codes, ...affine], countOf(image));
    }
    const depthwise = isDepthwise(g);
    const slide = slideOver(g, depthwise);
    const { cin, cout, outH, outW } = slide;
    const window = c.data(windowWords(slide));
    const macs = multiplyDims(g.batch, outH * outW * cin * g.taps * (depthwise ? 1 : cout));
    if (depthwise) {
      const scratch = c.scratch(depthwiseWeightGradientScratchBytes(slide));
      return c.emit("depthwiseWeightGradient", [to, from, y, scratch, g.batch, window, 0, 1, 0], cin, macs);
    }
    const scratch = c.scratch(convWeightGradientScratchBytes(slide));
    const group = cin * cout * g.taps;
    const found = c.temporary(g.groups * group * 4);
    for (let i = 0; i < g.groups; i++) {
      const [dyg, xg] = [behind(y, i * cin * 4), behind(from, i * cout * 4)];
      const operands = [behind(found, i * group * 4), xg, dyg, scratch, g.batch, window] as const;
      c.emit("convWeightGradient", [...operands, 0, 1, 0], cout, macs);
    }
    turn(unit.node, c, g, [cout, cin], to, found);
  },
};
