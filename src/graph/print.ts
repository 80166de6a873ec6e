// A graph as text, one line a node: what a person reads to see what a model is, before and after a pass.

import type { Attribute, Graph, Node, ValueType } from "./graph";
import { formatShape } from "./symbols";

/** Numbers of a list that are written out; a longer one ends in how many there are. */
const LISTED = 8;

/**
 * One line for every input, node and output, in columns:
 *
 *     %relu1 [batch, 16, 8, 8] f32 = Relu(%conv1)   # relu1
 *
 * `types` comes from inferTypes; without it, only inputs and constants show theirs. Integer layers stand
 * behind a dot.
 */
export const printGraph = (graph: Graph, types?: ReadonlyMap<string, ValueType>): string =>
  graphLines(graph, types).join("\n");

/** The lines of `printGraph`, each of which has all that names hold, line breaks too. */
export function graphLines(graph: Graph, types?: ReadonlyMap<string, ValueType>): string[] {
  const given = new Map(graph.inputs.map((input) => [input.name, input]));
  const typeOf = (value: string) => types?.get(value) ?? given.get(value) ?? graph.constants.get(value);
  const made = graph.nodes.map((node) => ({ node, left: declare(node, typeOf) }));
  const inputs = graph.inputs.map((input) => describe(input.name, input));
  const width = [...inputs, ...made.map(({ left }) => left)].reduce((n, text) => Math.max(n, text.length), 0);
  const lines = [`graph ${graph.name}`];
  for (const [i, input] of inputs.entries()) {
    const { preprocessing: image } = graph.inputs[i]!;
    lines.push(
      `  ${input.padEnd(width)} = input${image ? ` from ${image.layout} ${image.of ?? "bytes"}` : ""}`,
    );
  }
  for (const state of graph.states ?? [])
    lines.push(`  ${describe(state.name, state).padEnd(width)} = state`);
  const calls = made.map(({ node }) => callOf(graph, node));
  // Names stand in one column as far as lines are of common length.
  const callWidth = calls.reduce(
    (longest, call) => (call.length <= 60 ? Math.max(longest, call.length) : longest),
    0,
  );
  for (const [i, { node, left }] of made.entries()) {
    lines.push(
      `${node.codes ? "•" : " "} ${left.padEnd(width)} = ${calls[i]!.padEnd(callWidth)}  # ${node.name}`,
    );
    // Graphs of a node stand below it.
    for (const [name, body] of Object.entries(node.graphs ?? {}))
      for (const [at, line] of graphLines(body as Graph).entries())
        lines.push(`    ${at === 0 ? `${name}: ` : ""}${line}`);
  }
  lines.push(`  return ${graph.outputs.map((output) => `%${output}`).join(", ")}`);
  return lines;
}

const describe = (value: string, type: ValueType | undefined) =>
  type ? `%${value} ${formatShape(type.shape)} ${type.dtype}` : `%${value}`;

const declare = (node: Node, typeOf: (value: string) => ValueType | undefined) =>
  node.outputs.map((output) => (output === "" ? "_" : describe(output, typeOf(output)))).join(", ");

/** `Conv(%x, w f32 [16, 3, 3, 3], b f32 [16], group=1)`; small constants are written out. */
function callOf(graph: Graph, { op, inputs, attributes, codes }: Node): string {
  const operands = inputs.map((input) => {
    const constant = graph.constants.get(input);
    if (input === "") return "_";
    if (!constant) return `%${input}`;
    const { dtype, shape, data } = constant;
    if (data.length === 1 && shape.length === 0) return `${input}=${data[0]}`;
    return `${input} ${formatShape(shape)}${dtype === "f32" ? "" : ` ${dtype}`}`;
  });
  const { bounds, output } = codes ?? {};
  const fused = [
    ...(bounds && bounds.lo > -Infinity ? [`min=${bounds.lo}`] : []),
    ...(bounds && bounds.hi < Infinity ? [`max=${bounds.hi}`] : []),
    ...(output ? [`scale=${numberIn(graph, output.scale)}`] : []),
    ...(output && output.zeroPoint !== "" ? [`zero_point=${numberIn(graph, output.zeroPoint)}`] : []),
  ];
  const named = Object.entries(attributes).map(([name, value]) => `${name}=${formatAttribute(value)}`);
  return `${op}(${[...operands, ...named, ...fused].join(", ")})`;
}

const numberIn = (graph: Graph, name: string) => graph.constants.get(name)?.data[0] ?? `%${name}`;

function formatAttribute(value: Attribute): string {
  if (!Array.isArray(value)) return String(value);
  const shown = value.slice(0, LISTED).join(", ");
  return value.length > LISTED ? `[${shown}, … ${value.length}]` : `[${shown}]`;
}
