import type { Node } from "../../graph/graph";
import { countOf, type Dim, maxDims, minDims } from "../../graph/symbols";
import { evaluateUnary } from "../known";
import {
  checkComputed,
  extend,
  floatType,
  inputType,
  type Lowering,
  NONE,
  numberOf,
  type Op,
  type Traits,
  type Unit,
} from "../op";
import { type PlainRule, Steps } from "../steps";
import { unary } from "../unary";

const fixed = unary("clip", [
  ["min", -Infinity],
  ["max", Infinity],
]);

/** min(max(x, min), max), with the bounds as attributes, or as inputs where they are computed. ONNX Clip-13. */
export const clip: Op = extend(fixed, {
  inputs: 3,
  parameters: { 1: "min", 2: "max" },
  computable: [1, 2],
  clamp: (node) =>
    node.inputs.length === 1
      ? {
          lo: Math.fround(numberOf(node, "min", -Infinity)),
          hi: Math.fround(numberOf(node, "max", Infinity)),
        }
      : undefined,
  infer(node, inputs) {
    checkComputed(node, clip, inputs);
    return [inputType(node, inputs, 0)];
  },
  lower(unit, c) {
    if (unit.inputs.length === 1) return fixed.lower!(unit, c);
    const [x, y] = [unit.inputs[0]!, unit.outputs[0]!];
    floatType(unit.node, [c.type(x)], 0);
    const bounds = [boundOf(unit, c, 1, "min"), boundOf(unit, c, 2, "max")] as const;
    c.emit("clipBetween", [c.output(y, x), c.input(x), ...bounds], countOf(c.type(x).shape));
  },
});

/** A number, or a dimension, brought between known bounds. */
const within =
  ({ attributes: { min, max } }: Node) =>
  (value: Dim): Dim => {
    const above = min === undefined ? value : maxDims(value, min as number);
    return max === undefined ? above : minDims(above, max as number);
  };

/** Where a bound lies; none where there is none. */
function boundOf({ node, inputs }: Unit, c: Lowering, i: number, name: string) {
  if (inputs[i]) return c.input(inputs[i]);
  return node.attributes[name] === undefined ? NONE : c.data(Float32Array.of(numberOf(node, name, 0)));
}

export const clipTraits: Traits = {
  codes: "table",
  homogeneous: undefined,
  trained: undefined,
  evaluate: (node, [x]) => (node.inputs.length === 1 ? evaluateUnary(x, within(node)) : undefined),
};

/** Clips of integers: max with the lower bound, then min with the upper one. */
export const clipPlain: PlainRule = (node, rewrite, types) => {
  const { dtype } = types.get(node.outputs[0]!)!;
  if (dtype === "f32") return;
  const steps = new Steps(rewrite, node);
  let [y = "", ...bounds] = node.inputs;
  for (const [i, op] of ["Max", "Min"].entries()) {
    const name = ["min", "max"][i]!;
    const isKnown = node.attributes[name] !== undefined;
    const bound = isKnown ? steps.filled(dtype, numberOf(node, name, 0)) : bounds[i];
    if (bound) y = steps.add(op, [y, bound], {}, i === 1);
  }
  if (steps.nodes.length === 0) steps.add("Identity", [y], {}, true);
  steps.done();
};
