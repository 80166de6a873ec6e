// Whether two graphs are the same but for the names of values and nodes, and for an order of nodes that changes nothing: every value as
// text of what it is computed by. An Identity is its input.

import type { CodeParameters, Codes, Graph, Node } from "../src/graph/graph";
import { producersOf } from "../src/graph/graph";
import type { Tensor } from "../src/graph/tensor";
import { toolkitOps } from "../src/ops/toolkit";

const written = ({ dtype, shape, data }: Tensor) => `${dtype}[${shape}](${data})`;

/**
 * What a graph computes its outputs by, one number for each value that differs from those before it. `around` tells what inputs of a graph
 * within a graph are given.
 */
export function structureOf(
  graph: Graph,
  around?: (input: number) => string,
): {
  readonly outputs: readonly string[];
  readonly values: readonly string[];
} {
  const producers = producersOf(graph);
  const texts = new Map<string, number>();
  const known = new Map<string, string>();
  const numbered = (text: string): string => {
    if (!texts.has(text)) texts.set(text, texts.size);
    return `v${texts.get(text)}`;
  };
  const numbersOf = (name: string) => {
    const constant = graph.constants.get(name);
    return constant ? `${[...constant.data].every((z) => z === 0) ? 0 : constant.data}` : name && of(name);
  };
  const parameters = (p: CodeParameters | undefined) =>
    p && [
      p.scale && numbersOf(p.scale),
      numbersOf(p.zeroPoint) || "0",
      p.axis ?? "",
      p.groups ? written(graph.constants.get(p.groups.scales)!) : "",
    ];
  const codesOf = ({ inputs, output, bounds }: Codes) => {
    const dtype = output && (graph.constants.get(output.zeroPoint)?.dtype ?? "u8");
    return JSON.stringify([
      inputs.map(parameters),
      parameters(output),
      dtype,
      bounds && `${bounds.lo} ${bounds.hi}`,
    ]);
  };
  /** Graphs of a node; values around them are told by what they are, in whichever order it is given them. */
  const graphsOf = ({ inputs, graphs = {} }: Node, own: number) =>
    Object.entries(graphs).map(([name, body]) => {
      const first = body.inputs.length - (inputs.length - own);
      const told = (i: number) => (i < first ? `${i}` : `around ${of(inputs[i - first + own]!)}`);
      return JSON.stringify([name, structureOf(body as Graph, told)]);
    });
  const ofNode = (node: Node) => {
    const { op, inputs: all, attributes, codes } = node;
    const ownInputs = toolkitOps[op]?.control?.captures(node) ?? all.length;
    const inputs = all.slice(0, ownInputs);
    const own = Object.entries(attributes)
      .filter(([name]) => name !== "found")
      .sort(([a], [b]) => (a < b ? -1 : 1));
    return `${op}(${inputs.map((input) => input && of(input))}) ${JSON.stringify(own)} ${codes ? codesOf(codes) : ""}${graphsOf(node, ownInputs)}`;
  };
  const of = (value: string): string => {
    const before = known.get(value);
    if (before !== undefined) return before;
    const constant = graph.constants.get(value);
    const node = producers.get(value);
    if (node?.op === "Identity") return of(node.inputs[0]!);
    const at = graph.inputs.findIndex(({ name }) => name === value);
    const input = graph.inputs[at];
    const text = constant
      ? written(constant)
      : node
        ? `${numbered(ofNode(node))}.${node.outputs.indexOf(value)}`
        : around
          ? around(at)
          : `${value} ${input?.dtype} [${input?.shape}]`;
    const own = numbered(text);
    known.set(value, own);
    return own;
  };
  const outputs = graph.outputs.map((name, i) => `${around ? i : name} = ${of(name)}`);
  for (const node of graph.nodes) for (const output of node.outputs) if (output !== "") of(output);
  return { outputs, values: [...texts.keys()] };
}
