// Conv and Linear, and the way between master weights, codes and floats. dW is the gradient of the weights' numbers, which
// rounding passes straight through to their master (Bengio et al. 2013, arXiv:1308.3432).

import { tensor } from "../../graph/tensor";
import { geometryOf, isSpatial } from "../../ops/core/conv";
import { numberOf, type Quantization, type Unit } from "../../ops/op";
import type { Backward, Rule } from "./rule";

/**
 * A layer's input as its weights' gradient reads it: codes with their scale and zero point, or the numbers themselves. Where every
 * row of codes has a range of its own, a sum over rows has no one scale to take out of it: it is taken over the numbers that the
 * codes were made of, which differ from what they stand for by half a step at most.
 */
function inputOf({ node, inputs, integer }: Unit, b: Backward): readonly string[] {
  const [x] = inputs as [string];
  if (integer?.inputs[0]?.dynamic) return [b.quantized(x)];
  const codes = node.codes?.inputs[0];
  return codes ? [x, codes.scale, codes.zeroPoint] : [x];
}

/** The value or constant that holds the scales of a layer's weights. */
const scalesOf = (q: Quantization, b: Backward): string =>
  q.dynamic?.scale ?? b.data(tensor("f32", [q.scale.length], q.scale));

/** Gradients of a layer, whose bias belongs to `axis` of its output. */
export function layer(kind: string, axis: number): Rule {
  return (unit, [dy], b) => {
    if (dy === undefined) return;
    const [x, w, bias = ""] = unit.inputs as [string, string, string?];
    const { attributes } = unit.node;
    const weights = unit.integer?.inputs[1];
    const scale = weights && scalesOf(weights, b);
    if (b.wants(w) || (scale !== undefined && b.wants(scale))) {
      const shape = { ...attributes, shape: b.type(w).shape };
      const [dw] = b.write(`${kind}WeightGradient`, [dy, ...inputOf(unit, b)], shape);
      if (b.wants(w)) b.give(w, dw);
      if (scale !== undefined && b.wants(scale)) b.give(scale, b.write("ScaleGradient", [dw, w])[0]);
    }
    if (bias !== "" && b.wants(bias))
      b.give(bias, b.write("BiasGradient", [dy], { axis, shape: b.type(bias).shape })[0]);
    if (!b.wants(x)) return;
    const isByImage = kind === "Conv" && isSpatial(geometryOf(unit.node, b.type(x), b.type(w)));
    const [from, mask] = (isByImage && b.unmasked(dy)) || [dy, ""];
    const operands = [from, w, scale ?? "", b.take(x) ?? "", mask];
    b.give(x, b.write(`${kind}InputGradient`, operands, { ...attributes, shape: b.type(x).shape })[0]);
  };
}

export const conv = layer("Conv", 1);
export const linear = layer("Product", -1);

/** The mask of its codes is applied already: what passes, passes. */
const straight: Rule = (unit, [dy], b) => {
  const [x] = unit.inputs as [string];
  if (dy !== undefined && b.wants(x)) b.give(x, dy);
};

export const quantizeLinear = straight;
export const dequantizeLinear = straight;
/** A range that follows its row clips nothing, and moves without gradient. */
export const dynamicQuantize = straight;

/** Master weights: rounding to codes passes gradient straight through, and a scale that follows max|w| clips nothing. */
export const quantizeWeights: Rule = (unit, [dw], b) => {
  const [w, , , , scale = ""] = unit.inputs as [string, string, string, string, string?];
  if (dw === undefined) return;
  if (scale === "") return b.give(w, dw);
  const limit = numberOf(unit.node, "limit", 127);
  if (b.wants(scale)) b.give(scale, b.write("StepGradient", [dw, w, scale], { limit })[0]);
  if (b.wants(w)) b.give(w, b.write("ClippedGradient", [dw, w, scale], { limit })[0]);
};

export const quantizeBias = straight;
