import type { Node, ValueType } from "../../graph/graph";
import { tensor } from "../../graph/tensor";
import { inputType, numberOf, type Op, type Traits } from "../op";
import type { Rewriting } from "../steps";

/**
 * (x − mean) / √(var + ε) · scale + bias, a channel, and in training mode statistics that move. ONNX BatchNormalization-15. It is folded into
 * its neighbour, or rewritten as arithmetic, before anything is compiled.
 */
export const batchNormalization: Op = {
  inputs: 5,
  attributes: ["epsilon", "momentum", "training_mode"],
  infer: (node, inputs) => [0, 3, 4].slice(0, node.outputs.length).map((i) => inputType(node, inputs, i)),
};

export const batchNormalizationTraits: Traits = {
  codes: "none",
  homogeneous: undefined,
  trained: undefined,
  gradient: "none",
  equal: (_, [x, scale]) => [[x![1], scale![0]]],
};

/** Whether it finds the statistics itself. */
export const isTraining = (node: Node): boolean => numberOf(node, "training_mode", 0) !== 0;

/** Nodes that compute one BatchNormalization of x. */
export function computedBatchNorm(norm: Node, x: ValueType, rewrite: Rewriting): readonly Node[] {
  const [from, scale, bias, mean, variance] = norm.inputs as [string, string, string, string, string];
  const [y = "", nextMean = "", nextVariance = ""] = norm.outputs;
  const nodes: Node[] = [];
  const add = (
    op: string,
    inputs: readonly string[],
    attributes: Node["attributes"] = {},
    as = "",
  ): string => {
    const name = rewrite.fresh(`${norm.name}_${op.toLowerCase()}`);
    const output = as || rewrite.fresh(`${y}_${op.toLowerCase()}`);
    nodes.push({ op, name, inputs, outputs: [output], attributes });
    return output;
  };
  const number = (value: number) => rewrite.hold(`${norm.name}_number`, tensor("f32", [], [value]));
  const channels = x.shape[1] ?? 1;
  const column = { shape: [channels, ...x.shape.slice(2).map(() => 1)], allowzero: 1 };
  const axes = x.shape.map((_, axis) => axis).filter((axis) => axis !== 1);
  const own = isTraining(norm);
  const average = (value: string) => add("ReduceMean", [value], { axes, keepdims: 1 });
  const center = own ? average(from) : add("Reshape", [mean], column);
  const distance = add("Sub", [from, center]);
  const spread = own ? average(add("Mul", [distance, distance])) : add("Reshape", [variance], column);
  const deviation = add("Sqrt", [add("Add", [spread, number(numberOf(norm, "epsilon", 1e-5))])]);
  const factor = add("Div", [add("Reshape", [scale], column), deviation]);
  const shift = add("Reshape", [bias], column);
  /** What it was given, and what it found, in parts that `momentum` says. */
  const moving = (given: string, found: string, as: string) => {
    if (as === "") return;
    const momentum = numberOf(norm, "momentum", 0.9);
    const kept = add("Mul", [given, number(momentum)]);
    const flat = add("Reshape", [found], { shape: [channels], allowzero: 1 });
    add("Add", [kept, add("Mul", [flat, number(1 - momentum)])], {}, as);
  };
  moving(mean, center, nextMean);
  moving(variance, spread, nextVariance);
  nodes.push({
    op: "Add",
    name: norm.name,
    inputs: [add("Mul", [distance, factor]), shift],
    outputs: [y],
    attributes: {},
  });
  return nodes;
}
