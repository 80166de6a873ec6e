// Gradients of functions of one value: dx = dy · f′, from what the function took or from what it made.

import type { Node } from "../../graph/graph";
import { countOf, formatShape } from "../../graph/symbols";
import { type Address, floatType, type Kernels, numberOf, type Op, opError, stringOf } from "../../ops/op";
import { asSecond } from "./layout";

/** Kernels called as (dx, dy, saved, …parameters, begin, end). */
type GradientKernel = {
  [K in keyof Kernels]: K extends `${string}Gradient`
    ? Parameters<Kernels[K]> extends readonly [usize, usize, usize, ...infer _, number, number]
      ? K
      : never
    : never;
}[keyof Kernels];

/** The op of a kernel: (dy, saved) → dx. It lies as what was saved does. */
function derivative(
  kernelOf: GradientKernel | ((node: Node) => GradientKernel),
  parameters: (node: Node) => readonly number[] = () => [],
): Op {
  return {
    infer(node, inputs) {
      const [dy, saved] = [floatType(node, inputs, 0), floatType(node, inputs, 1)];
      if (formatShape(dy.shape) !== formatShape(saved.shape))
        throw opError(node, "a gradient has the shape of what it is of", {
          expected: formatShape(saved.shape),
          got: formatShape(dy.shape),
        });
      return [dy];
    },
    rows: true,
    layout: asSecond,
    lower({ node, inputs, outputs }, c) {
      const [dy, saved] = inputs as [string, string];
      const kernel = typeof kernelOf === "string" ? kernelOf : kernelOf(node);
      const operands = [c.output(outputs[0]!, dy), c.input(dy), c.input(saved)] as const;
      const args = [...operands, ...parameters(node)] as unknown as readonly [Address, Address, Address];
      c.emit(kernel as "sigmoidGradient", args, countOf(c.type(dy).shape));
    },
  };
}

const alpha = (otherwise: number) => (node: Node) => [numberOf(node, "alpha", otherwise)];

/** dy where lo < y < hi, else 0, from y: of Relu, Clip, and of every op that a clamp was fused into. */
export const clipGradient = derivative("clipGradient", (node) => [
  numberOf(node, "lo", -Infinity),
  numberOf(node, "hi", Infinity),
]);
/** From x; 0 at 0. */
export const absGradient = derivative("absGradient");
/** From x. */
export const eluGradient = derivative("eluGradient", alpha(1));
/** From x. */
export const erfGradient = derivative("erfGradient");
/** From x. */
export const geluGradient = derivative((node) =>
  stringOf(node, "approximate", "none") === "tanh" ? "geluTanhGradient" : "geluGradient",
);
/** From y. */
export const hardSigmoidGradient = derivative("hardSigmoidGradient", alpha(0.2));
/** From x. */
export const hardSwishGradient = derivative("hardSwishGradient");
/** From x, or from y where alpha is above 0. */
export const leakyReluGradient = derivative("leakyReluGradient", alpha(0.01));
/** From y. */
export const sigmoidGradient = derivative("sigmoidGradient");
/** From x. */
export const siluGradient = derivative("siluGradient");
/** (y, x) → 1 where they are equal, else 0: the slope at what was chosen. */
export const tiesGradient = derivative("tiesGradient");
/** From y. */
export const tanhGradient = derivative("tanhGradient");
