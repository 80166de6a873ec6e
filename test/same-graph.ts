// Whether two graphs are the same but for the names of values and nodes, and for an order of nodes that changes nothing: every value as
// text of what it is computed by.

import type { CodeParameters, Codes, Graph, Node } from "../src/graph/graph";
import { producersOf } from "../src/graph/graph";
import type { Tensor } from "../src/graph/tensor";

const written = ({ dtype, shape, data }: Tensor) => `${dtype}[${shape}](${data})`;

/** What a graph computes its outputs by, one number for each value that differs from those before it. */
export function structureOf(graph: Graph): {
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
  const ofNode = ({ op, inputs, attributes, codes }: Node) => {
    const own = Object.entries(attributes)
      .filter(([name]) => name !== "found")
      .sort(([a], [b]) => (a < b ? -1 : 1));
    return `${op}(${inputs.map((input) => input && of(input))}) ${JSON.stringify(own)} ${codes ? codesOf(codes) : ""}`;
  };
  const of = (value: string): string => {
    const before = known.get(value);
    if (before !== undefined) return before;
    const constant = graph.constants.get(value);
    const node = producers.get(value);
    const input = graph.inputs.find(({ name }) => name === value);
    const text = constant
      ? written(constant)
      : node
        ? `${numbered(ofNode(node))}.${node.outputs.indexOf(value)}`
        : `${value} ${input?.dtype} [${input?.shape}]`;
    const own = numbered(text);
    known.set(value, own);
    return own;
  };
  const outputs = graph.outputs.map((name) => `${name} = ${of(name)}`);
  for (const node of graph.nodes) for (const output of node.outputs) if (output !== "") of(output);
  return { outputs, values: [...texts.keys()] };
}
