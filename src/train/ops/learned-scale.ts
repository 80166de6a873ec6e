// Gradients of learned scales (Esser et al. 2020, arXiv:1902.08153), each times 1 / √(numbers of a scale · largest code), and
// that of weights, some of which such a scale clips.

import { countOf } from "../../graph/symbols";
import { sizeOf } from "../../graph/tensor";
import { type Address, type Lowering, numberOf, type Op, type Unit } from "../../ops/op";
import { scalar } from "./scalar";

/** Weights' channels, numbers of each, and the largest code. */
function sizesOf({ node, inputs }: Unit, c: Lowering) {
  const [channels, ...rest] = c.type(inputs[1]!).shape as [number, ...number[]];
  return { channels, inner: sizeOf(rest), limit: numberOf(node, "limit", 127) };
}

/** What makes steps of learning alike for scales of many numbers and of few. */
export const scaleFactor = (count: number, limit: number): number =>
  Math.fround(1 / Math.sqrt(count * limit));

/** ds of weights' scales: inputs dy, w, scale. */
export const stepGradient: Op = {
  infer: (_, inputs) => [{ dtype: "f32", shape: inputs[2]!.shape }],
  lower(unit, c) {
    const { channels, inner, limit } = sizesOf(unit, c);
    const operands = unit.inputs.map((input) => c.input(input)) as [Address, Address, Address];
    const sizes = [inner, limit, scaleFactor(inner, limit)] as const;
    c.emit("weightScaleGradient", [c.output(unit.outputs[0]!), ...operands, ...sizes], channels);
  },
};

/** dw, 0 where the code is out of range: inputs dy, w, scale. */
export const clippedGradient: Op = {
  infer: (_, inputs) => [inputs[0]!],
  lower(unit, c) {
    const { channels, inner, limit } = sizesOf(unit, c);
    const operands = unit.inputs.map((input) => c.input(input)) as [Address, Address, Address];
    const to = c.output(unit.outputs[0]!, unit.inputs[0]!);
    c.emit("weightGradient", [to, ...operands, inner, limit], channels);
  },
};

/** ds of a scale of codes, a number a sample: inputs dy, x, scale and zero point of the codes; attribute factor. */
export const codeScaleGradient: Op = {
  infer: (_, [dy]) => [{ dtype: "f32", shape: [dy!.shape[0] ?? 1] }],
  rows: true,
  layout: (_, [, x = "plain"]) => ({ inputs: [x, x], outputs: ["plain"] }),
  lower({ node, inputs, outputs }, c) {
    const [dy, x, scale, zero] = inputs as [string, string, string, string];
    const [batch = 1, ...rest] = c.type(x).shape;
    const operands = [c.output(outputs[0]!), c.input(dy), c.input(x)] as const;
    const numbers = [scalar(c, scale), scalar(c, zero), numberOf(node, "factor", 1)] as const;
    c.emit("codeScaleGradient", [...operands, countOf(rest), ...numbers], batch);
  },
};
