// Operators that run other graphs of the file. These read nothing but what they are given, and variables: what one of them assigns is a
// result of the node, which the graph around keeps.

import type { Graph, Node } from "../../graph/graph";
import { tensor } from "../../graph/tensor";
import { I32_MAX } from "../elements";
import { RESOURCE } from "./schema";
import type { Conversions, Given, OperatorSource } from "./source";
import type { TensorValues } from "./values";

/** Refuses a graph with states of its own, such as those of SVDF: only the main graph keeps any from run to run. */
function checkStates(source: OperatorSource, { states: [state] }: TensorValues): void {
  if (state) throw source.error("a graph that it runs keeps states", { got: state.name });
}

/** Inputs of the operator from `first` on, which graphs are given: variables under their names. */
const givenFrom = (source: OperatorSource, first: number): Given =>
  source.inputs.slice(first).map((_, i) => {
    const tensor = source.tensor(first + i);
    const variable = source.values.variables.get(tensor.index);
    return variable === undefined ? { value: source.values.stored(tensor) } : { variable };
  });

/** Names for the values that a graph is given in place of these, and all with them. */
function entered(values: TensorValues, given: Given): readonly [inputs: string[], given: Given] {
  const own = given.map((one) => ("value" in one ? { value: values.fresh(one.value) } : one));
  return [valuesIn(own), own];
}

const valuesIn = (given: Given) => given.flatMap((one) => ("value" in one ? [one.value] : []));

/** The variables that any of some graphs is given. */
const variablesOf = (all: readonly TensorValues[]) => [
  ...new Map(all.flatMap(({ given }) => [...given].map(([key, [type]]) => [key, type] as const))),
];

/**
 * A graph of a node, which is given variables after its other inputs and makes them after its other results. Types of inputs are those of
 * what the node gives: simplifying finds them.
 */
function bodyOf(
  source: OperatorSource,
  values: TensorValues,
  inputs: readonly string[],
  outputs: readonly string[],
  variables: ReturnType<typeof variablesOf>,
): Graph {
  checkStates(source, values);
  const next = variables.map(([key, type]) => values.read(key, type, key));
  const all = [...inputs, ...variables.map(([key]) => values.given.get(key)![1])];
  return {
    name: values.fresh(`${source.name}_graph`),
    inputs: all.map((name) => ({ name, dtype: "f32", shape: [] })),
    outputs: [...outputs, ...next],
    nodes: values.nodes,
    constants: values.constants,
    provenance: {},
  };
}

/** A node with graphs, whose first outputs are those of the operator; variables follow. */
function end(
  source: OperatorSource,
  node: Pick<Node, "op" | "inputs" | "attributes" | "graphs">,
  variables: ReturnType<typeof variablesOf>,
): void {
  const { values, name: wanted } = source;
  const outputs = source.outputs.filter(({ type }) => type !== RESOURCE);
  const made = outputs.map(({ name }) => values.fresh(name));
  const before = variables.map(([key, type]) => values.read(key, type, wanted));
  const after = variables.map(([key]) => values.fresh(key));
  values.nodes.push({
    ...node,
    name: values.fresh(wanted),
    inputs: [...node.inputs, ...before],
    outputs: [...made, ...after],
  });
  for (const [i, output] of outputs.entries()) values.setStored(output, made[i]!);
  for (const [i, [key, type]] of variables.entries()) values.assign(key, type, after[i]!, wanted);
}

function branching(source: OperatorSource): void {
  const given = givenFrom(source, 1);
  const branches = [0, 1].map((field) => {
    const values = source.values.within();
    const [inputs, own] = entered(values, given);
    return { values, inputs, made: source.run(source.options.int(field), values, own) };
  });
  const variables = variablesOf(branches.map(({ values }) => values));
  const [then_branch, else_branch] = branches.map(({ values, inputs, made }) =>
    bodyOf(source, values, inputs, made, variables),
  ) as [Graph, Graph];
  const inputs = [source.real(0), ...valuesIn(given)];
  end(source, { op: "If", inputs, attributes: {}, graphs: { then_branch, else_branch } }, variables);
}

/** Whether an iteration follows, from the values that it would be given. */
function condition(source: OperatorSource, values: TensorValues, given: Given): string {
  const inner = values.within();
  const [holds, ...others] = source.run(source.options.int(0), inner, given);
  if (holds === undefined || others.length > 0)
    throw source.error("its condition does not fit", { expected: "a graph of one output" });
  checkStates(source, inner);
  for (const [key, [type, input]] of inner.given) {
    if (inner.read(key, type, key) !== input) throw source.error("its condition assigns a variable");
    const name = values.fresh(key);
    const inputs = [values.read(key, type, key)];
    values.nodes.push({ op: "Identity", name, inputs, outputs: [input], attributes: {} });
  }
  values.take(inner);
  return holds;
}

function loop(source: OperatorSource): void {
  const given = givenFrom(source, 0);
  const first = condition(source, source.values, given);
  const values = source.values.within();
  const [[i, going], [inputs, own]] = [
    [`${source.name}_i`, `${source.name}_going`].map((name) => values.fresh(name)),
    entered(values, given),
  ];
  const made = source.run(source.options.int(1), values, own);
  let next = 0;
  const again = given.map((one) => ("value" in one ? { value: made[next++]! } : one));
  const holds = condition(source, values, again);
  const variables = variablesOf([values]);
  const body = bodyOf(source, values, [i!, going!, ...inputs], [holds, ...made], variables);
  const trips = source.values.hold(`${source.name}_trips`, tensor("i32", [], [I32_MAX]));
  const carried = inputs.length + variables.length;
  const node = { op: "Loop", inputs: [trips, first, ...valuesIn(given)], attributes: { carried } };
  end(source, { ...node, graphs: { body } }, variables);
  for (const [at, output] of source.outputs.entries()) {
    const one = given[at];
    if (one && "variable" in one) source.values.variables.set(output.index, one.variable);
  }
}

export const control: Conversions = { IF: branching, WHILE: loop };
