// The way back of ops that run graphs. What such a graph reads of those around it has its name there; constants of all graphs stand in the
// outermost one.

import { bodiesOf } from "../../graph/bodies";
import { type Graph, type Node, renamed } from "../../graph/graph";
import type { Target, Way } from "./target";
import { unwritten } from "./ways";
import type { WrittenAttribute } from "./write-proto";

/** A graph of a node under names of the file. `own` of its inputs are what the op gives it, the others are values around it. */
function named(
  { inputs, outputs, nodes, ...body }: Graph,
  own: number,
  around: readonly string[],
  target: Target,
): Graph {
  const names = new Map([
    ["", ""],
    ...inputs.map(
      ({ name }, i) => [name, i < own ? target.fresh(name) : target.operand(around[i - own]!)] as const,
    ),
    ...[...body.constants].map(([name, constant]) => [name, target.constantName(name, constant)] as const),
    ...nodes.flatMap((node) => node.outputs.map((name) => [name, name && target.fresh(name)] as const)),
  ]);
  const nameOf = (value: string) => names.get(value)!;
  return {
    ...body,
    inputs: inputs.map((input) => ({ ...input, name: nameOf(input.name) })),
    outputs: outputs.map(nameOf),
    nodes: nodes.map((node) => ({ ...renamed(node, nameOf), name: target.freshNode(node.name) })),
    constants: new Map([...body.constants].map(([name, constant]) => [nameOf(name), constant])),
  };
}

/** A graph of a node that takes its inputs from `first` on. Its results are made within it, each once, as ONNX Runtime wants them. */
function written(body: Graph, node: Node, first: number, target: Target): WrittenAttribute {
  const around = node.inputs.slice(first);
  const own = body.inputs.length - around.length;
  const graph = named(body, own, around, target);
  const inner = target.within(graph);
  const made = new Set(graph.nodes.flatMap(({ outputs }) => outputs));
  const outputs = graph.outputs.map((output, i) => {
    if (made.has(output) && graph.outputs.indexOf(output) === i) return output;
    const name = inner.define(target.fresh(`${output}_result`), inner.type(output));
    return inner.add("Identity", [inner.plain(inner.operand(output))], { outputs: [name] });
  });
  const { name } = body;
  const value = {
    name,
    nodes: inner.nodes,
    inputs: graph.inputs.slice(0, own).map((input) => inner.info(input.name)),
    outputs: outputs.map((output) => inner.info(output)),
  };
  return { kind: "graph", value };
}

/** A node whose first inputs are those of the operator; each result of its graphs but the first `hidden` has a name. */
function write(
  node: Node,
  target: Target,
  first: number,
  hidden: number,
  attributes: Node["attributes"] = {},
): void {
  const bodies = Object.entries(node.graphs ?? {}).map(
    ([name, body]) => [name, written(body as Graph, node, first, target)] as const,
  );
  const results = bodiesOf(node)[0]!.outputs.slice(hidden);
  const outputs = results.map((result, i) => node.outputs[i] || target.fresh(`${node.name}_${result}`));
  const inputs = node.inputs.slice(0, first).map((value) => target.operand(value));
  target.add(node.op, inputs, {
    name: node.name,
    outputs,
    attributes: { ...attributes, ...Object.fromEntries(bodies) },
  });
}

const branching: Way = (node, target) => {
  if (node.attributes.unfit !== undefined)
    throw unwritten(node, "a branch was left out since its sizes do not fit", "both branches");
  write(node, target, 1, 0);
};

export { branching as if };

/** Trip count, condition, and what is carried. */
export const loop: Way = (node, target) => write(node, target, 2 + Number(node.attributes.carried ?? 0), 1);

/** Sequences of a batch, as before opset 9, are octette's own by now. */
export const scan: Way = (node, target) => {
  const { states = 0, lengths: _, batched = 0, found: __, ...attributes } = node.attributes;
  if (batched !== 0) throw unwritten(node, "it goes along sequences of a batch", "Scan of opset 9 or later");
  write(node, target, Number(states) + Number(attributes.num_scan_inputs), 0, attributes);
};
