// The oracle: a scalar interpreter of a graph in ONNX's order of dimensions, written from the numerics contract and
// sharing no code with the compiler. Integer layers are evaluated over codes, all else in f32, value by value.

import type { Graph, Node } from "../../src/graph/graph";
import type { Bindings, Shape } from "../../src/graph/symbols";
import { evaluateDim, evaluateShape } from "../../src/graph/symbols";
import { type Tensor, tensor } from "../../src/graph/tensor";
import { arithmeticOperators } from "./arithmetic";
import { elementwiseOperators } from "./elementwise";
import { floatOperators } from "./float";
import { languageOperators } from "./language";
import { runLayer } from "./layer";
import { fail, type Operator } from "./node";
import { type Oracles, operatorOf } from "./oracle";
import { quantizeOperators } from "./quantize";
import { shapeOperators } from "./shape";

/** Every operator the reference has, over floats. */
export const operators: Readonly<Record<string, Operator>> = {
  ...arithmeticOperators,
  ...elementwiseOperators,
  ...floatOperators,
  ...languageOperators,
  ...quantizeOperators,
  ...shapeOperators,
};

/**
 * Every value of a graph, inputs and constants included, for feeds of the inputs' own dtypes. Of an integer region
 * there is only its result: the real values inside it do not exist. `oracles` has the ops that a test defines itself, `symbols` values of
 * those that no input has, and `states` what states hold, from run to run: zeros where it has none.
 */
export function runReference(
  graph: Graph,
  feeds: Readonly<Record<string, Tensor>>,
  oracles: Oracles = {},
  { symbols = {}, states = new Map() }: { symbols?: Bindings; states?: Map<string, Tensor> } = {},
): Map<string, Tensor> {
  const values = new Map(graph.constants);
  const bindings = { ...bind(graph, feeds), ...symbols };
  // Operators write to states, which an op's own cases feed.
  for (const { name } of graph.inputs)
    values.set(name, { ...feeds[name]!, data: feeds[name]!.data.slice() } as Tensor);
  for (const { name, dtype, shape } of graph.states ?? []) {
    if (!states.has(name)) states.set(name, tensor(dtype, evaluateShape(shape, bindings), []));
    values.set(name, states.get(name)!);
  }
  for (const node of graph.nodes)
    if (node.codes) values.set(...runLayer(node, values, bindings, oracles[node.op]));
    else runNode(node, values, bindings, oracles);
  for (const output of graph.outputs)
    if (!values.has(output)) throw new Error(`reference: output "${output}" was not computed`);
  return values;
}

function runNode(node: Node, values: Map<string, Tensor>, bindings: Bindings, oracles: Oracles): void {
  const own = oracles[node.op];
  const operator =
    (own ? operatorOf(own) : operators[node.op]) ?? fail(node, "the reference has no such operator");
  const inputs = node.inputs.map((name) =>
    name === "" ? undefined : (values.get(name) ?? fail(node, `"${name}" has no value`)),
  );
  const result = operator(node, inputs, bindings);
  const outputs = "dtype" in result ? [result] : result;
  node.outputs.forEach((name, i) => {
    if (name !== "" && outputs[i]) values.set(name, outputs[i]);
  });
}

/** Values of the symbols in the inputs' shapes. */
function bind(graph: Graph, feeds: Readonly<Record<string, Tensor>>): Bindings {
  const bindings: Record<string, number> = {};
  const wrong = (name: string, dtype: string, shape: Shape, fed: Tensor | undefined): never => {
    const got = fed ? `${fed.dtype} [${fed.shape}]` : "nothing";
    throw new Error(`reference: input "${name}": expected ${dtype} [${shape}], got ${got}`);
  };
  for (const { name, dtype, shape } of graph.inputs) {
    const fed = feeds[name];
    if (fed?.dtype !== dtype || fed.shape.length !== shape.length) wrong(name, dtype, shape, fed);
    shape.forEach((dim, d) => {
      if (typeof dim === "string" && /^[^+*\d]/.test(dim) && !/[+*]/.test(dim))
        bindings[dim] ??= fed!.shape[d]!;
    });
  }
  for (const { name, dtype, shape } of graph.inputs)
    if (shape.some((dim, d) => evaluateDim(dim, bindings) !== feeds[name]!.shape[d]))
      wrong(name, dtype, shape, feeds[name]);
  return bindings;
}
