// Operators that run other graphs of the file. These read nothing but what they are given.

import type { Graph } from "../../graph/graph";
import { tensor } from "../../graph/tensor";
import { I32_MAX } from "../elements";
import type { Conversions, OperatorSource } from "./source";
import type { TensorValues } from "./values";

/** Refuses a graph with variables: only the main graph keeps states from run to run. */
function checkStates(source: OperatorSource, { states: [state] }: TensorValues): void {
  if (state) throw source.error("a graph that it runs has variables", { got: state.name });
}

/** A graph of a node. Types of its inputs are those of what the node gives it: simplifying finds them. */
function bodyOf(
  source: OperatorSource,
  values: TensorValues,
  inputs: readonly string[],
  outputs: readonly string[],
): Graph {
  checkStates(source, values);
  return {
    name: values.fresh(`${source.name}_graph`),
    inputs: inputs.map((name) => ({ name, dtype: "f32", shape: [] })),
    outputs,
    nodes: values.nodes,
    constants: values.constants,
    provenance: {},
  };
}

/** A node with graphs, whose first outputs are those of the operator. */
function end(
  source: OperatorSource,
  op: string,
  inputs: readonly string[],
  attributes: Readonly<Record<string, number>>,
  graphs: Readonly<Record<string, Graph>>,
): void {
  const { values, outputs } = source;
  const made = outputs.map(({ name }) => values.fresh(name));
  values.nodes.push({ op, name: values.fresh(source.name), inputs, outputs: made, attributes, graphs });
  for (const [i, output] of outputs.entries()) values.setStored(output, made[i]!);
}

const storedFrom = (source: OperatorSource, first: number): string[] =>
  source.inputs.slice(first).map((_, i) => source.values.stored(source.tensor(first + i)));

/** Names for what a graph is given. */
const namesFor = (values: TensorValues, given: readonly string[]) => given.map((name) => values.fresh(name));

function branching(source: OperatorSource): void {
  const given = storedFrom(source, 1);
  const branch = (index: number): Graph => {
    const values = source.values.within();
    const inputs = namesFor(values, given);
    return bodyOf(source, values, inputs, source.run(index, values, inputs));
  };
  const [then_branch, else_branch] = [source.options.int(0), source.options.int(1)].map(branch) as [
    Graph,
    Graph,
  ];
  end(source, "If", [source.real(0), ...given], {}, { then_branch, else_branch });
}

/** Whether an iteration follows, from the values that it would be given. */
function condition(source: OperatorSource, values: TensorValues, given: readonly string[]): string {
  const inner = values.within();
  const [holds, ...others] = source.run(source.options.int(0), inner, given);
  if (holds === undefined || others.length > 0)
    throw source.error("its condition does not fit", { expected: "a graph of one output" });
  checkStates(source, inner);
  values.take(inner);
  return holds;
}

function loop(source: OperatorSource): void {
  const given = storedFrom(source, 0);
  const first = condition(source, source.values, given);
  const values = source.values.within();
  const [i, going, ...inputs] = namesFor(values, [`${source.name}_i`, `${source.name}_going`, ...given]);
  const made = source.run(source.options.int(1), values, inputs);
  const next = condition(source, values, made);
  const body = bodyOf(source, values, [i!, going!, ...inputs], [next, ...made]);
  const trips = source.values.hold(`${source.name}_trips`, tensor("i32", [], [I32_MAX]));
  end(source, "Loop", [trips, first, ...given], { carried: given.length }, { body });
}

export const control: Conversions = { IF: branching, WHILE: loop };
