// Normalizations that are written with other operators.

import type { Attribute, Node } from "../../graph/graph";
import type { Conversion, Source } from "./source";

/** `stash_type`, the type of the inner sums, is f32 always. */
export const groupNormalization: Conversion = (source) => {
  source.ignore("stash_type");
  return [source.node(source.attributes())];
};

/** Nodes one after the other, the last of which is `Div` and makes the output. */
class Chain {
  readonly nodes: Node[] = [];
  readonly #source: Source;

  constructor(source: Source) {
    this.#source = source;
  }

  add(op: string, inputs: readonly string[], attributes: Readonly<Record<string, Attribute>> = {}): string {
    const output = this.#source.fresh(`${this.#source.name}_${op.toLowerCase()}`);
    this.nodes.push({ op, name: output, inputs, outputs: [output], attributes });
    return output;
  }

  divided(x: string, by: string): readonly Node[] {
    return [...this.nodes, this.#source.node({}, { op: "Div", inputs: [x, by] })];
  }
}

/** The least f32 above 0: elements of a vector without length stay 0. */
const LEAST = 2 ** -149;

/** x over its length along an axis. */
export const lpNormalization: Conversion = (source) => {
  const [x = ""] = source.inputs;
  const [axis, p] = [source.int("axis", -1), source.int("p", 2)];
  if (p !== 1 && p !== 2) throw source.error("p does not fit", { expected: "1 or 2", got: `${p}` });
  const chain = new Chain(source);
  const length = chain.add(p === 1 ? "ReduceL1" : "ReduceL2", [x], { axes: [axis], keepdims: 1 });
  return chain.divided(x, chain.add("Clip", [length], { min: LEAST }));
};

/** What ONNX adds to a deviation. */
const EPSILON = 1e-9;

/** (x − mean) / (deviation + 1e-9) over axes. */
export const meanVarianceNormalization: Conversion = (source) => {
  const [x = ""] = source.inputs;
  const axes = source.attribute("axes") ?? [0, 2, 3];
  const over = { axes, keepdims: 1 };
  const chain = new Chain(source);
  const distance = chain.add("Sub", [x, chain.add("ReduceMean", [x], over)]);
  const variance = chain.add("ReduceMean", [chain.add("Mul", [distance, distance])], over);
  const epsilon = chain.add("ConstantOfShape", [], { shape: [], dtype: "f32", value: EPSILON });
  return chain.divided(distance, chain.add("Add", [chain.add("Sqrt", [variance]), epsilon]));
};

/** x over the root of its mean square, times a scale: ONNX Runtime's own operator in ONNX's domain. */
export const simplifiedLayerNormalization: Conversion = (source) => {
  source.ignore("stash_type");
  if (source.outputs.length > 1) throw source.error("it gives deviations, which only training reads");
  return [source.node({ axis: -1, epsilon: 1e-5, ...source.attributes() }, { op: "RMSNormalization" })];
};
