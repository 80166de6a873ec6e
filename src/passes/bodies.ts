// Graphs within a graph, as passes meet them: their inputs get types, what they need not be given is left out, and a graph that is
// chosen before a run takes the place of its node.

import { withBodies } from "../graph/bodies";
import { type Graph, type Node, readsOf, renamed, type ValueType, valueNames } from "../graph/graph";
import type { FreshNames } from "../graph/names";
import { symbolsOf } from "../graph/symbols";
import type { Tensor } from "../graph/tensor";
import { same } from "../ops/compose";
import { opOf, type Registry, resultsOf } from "../ops/infer";

/** Rounds after which the sizes that a loop carries are all taken to change: each finds more that do. */
const MAX_ROUNDS = 2 ** 6;

/**
 * A node whose graphs have types of their inputs, and the types of their results. `fold` computes what is known in a graph, or leaves it
 * out. Where sizes turn out to change from iteration to iteration, it starts anew.
 */
export function entered(
  node: Node,
  inputs: readonly (ValueType | undefined)[],
  registry: Registry,
  fold: (graph: Graph) => Graph | undefined,
): Node {
  const { control } = opOf(registry, node.op, node.name);
  if (!control) return node;
  let types = control.enter(node, inputs);
  for (let round = 0; ; round++) {
    const typed = withBodies(node, (body, name) => fold({ ...body, inputs: types[name]! }));
    const wider = control.widen?.(typed, resultsOf(typed.graphs!, registry));
    if (!wider || round === MAX_ROUNDS) return typed;
    types = wider;
  }
}

/** A node whose graphs have the constants that they are given as their own, and are given nothing that none of them reads. */
export function tightened(
  node: Node,
  registry: Registry,
  constants: Pick<ReadonlyMap<string, Tensor>, "get" | "has">,
): Node {
  const { control } = opOf(registry, node.op, node.name);
  if (!control || !node.graphs) return node;
  const bodies = Object.values(node.graphs);
  const first = control.captures(node);
  const read = bodies.map(({ nodes, outputs }) => new Set([...nodes.flatMap(readsOf), ...outputs]));
  /** Inputs from the end, which all graphs have alike. */
  const fromEnd = node.inputs.slice(first).map((_, i, all) => all.length - i);
  const nameIn = (body: (typeof bodies)[number], at: number) => body.inputs.at(-at)!.name;
  const isLeft = (at: number) =>
    !constants.has(node.inputs.at(-at)!) && bodies.some((body, b) => read[b]!.has(nameIn(body, at)));
  const left = new Set(fromEnd.filter(isLeft));
  const given = (body: (typeof bodies)[number]) =>
    body.inputs.filter((_, i) => body.inputs.length - i > fromEnd.length || left.has(body.inputs.length - i));
  /** Whether a graph computes with sizes that it knows by this input alone. */
  const isMeasured = (body: (typeof bodies)[number], at: number): boolean => {
    const known = given(body).flatMap(({ shape }) => shape.flatMap(symbolsOf));
    const symbols = body.inputs.at(-at)!.shape.flatMap(symbolsOf);
    const unknown = symbols.filter((symbol) => !known.includes(symbol));
    const told = unknown.length > 0 ? JSON.stringify(body.nodes.map(({ attributes }) => attributes)) : "";
    return unknown.some((symbol) => told.includes(symbol));
  };
  for (const at of fromEnd) if (!left.has(at) && bodies.some((body) => isMeasured(body, at))) left.add(at);
  if (left.size === fromEnd.length) return node;
  const stays = (length: number) => (_: unknown, i: number) =>
    length - i > fromEnd.length || left.has(length - i);
  const own = withBodies(node, (body) => ({
    ...body,
    inputs: body.inputs.filter(stays(body.inputs.length)),
    constants: new Map([
      ...body.constants,
      ...fromEnd.flatMap((at) => {
        const constant = constants.get(node.inputs.at(-at)!);
        return constant ? [[nameIn(body, at), constant] as const] : [];
      }),
    ]),
  }));
  return { ...own, inputs: node.inputs.filter(stays(node.inputs.length)) };
}

/** Nodes and constants in the place of a node. */
export interface Inlined {
  readonly nodes: readonly Node[];
  readonly constants: ReadonlyMap<string, Tensor>;
}

/** What a node is where one of its graphs, which takes what the node has as its last inputs, stands for it. */
export function inlineBody(node: Node, body: Graph, values: FreshNames, nodeNames: FreshNames): Inlined {
  const names = new Map<string, string>();
  const given = node.inputs.slice(node.inputs.length - body.inputs.length);
  for (const [i, { name }] of body.inputs.entries()) names.set(name, given[i]!);
  const made = new Set(body.nodes.flatMap(({ outputs }) => outputs));
  /** Outputs that a node of the graph makes, each under the name of the first output that it is. */
  const direct = new Map<string, string>();
  for (const [i, output] of node.outputs.entries()) {
    const result = body.outputs[i]!;
    if (output !== "" && made.has(result) && !direct.has(result)) direct.set(result, output);
  }
  for (const name of valueNames(body))
    if (name !== "" && !names.has(name)) names.set(name, direct.get(name) ?? values.fresh(name));
  const nameOf = (value: string) => (value === "" ? "" : names.get(value)!);
  const moved = body.nodes.map((one) => ({ ...renamed(one, nameOf), name: nodeNames.fresh(one.name) }));
  const copies = node.outputs.flatMap((output, i): Node[] => {
    const result = body.outputs[i]!;
    if (output === "" || direct.get(result) === output) return [];
    const name = nodeNames.fresh(`${node.name}_${output}`);
    return [{ ...same(nameOf(result)), name, outputs: [output] }];
  });
  const constants = new Map([...body.constants].map(([name, value]) => [nameOf(name), value] as const));
  return { nodes: [...moved, ...copies], constants };
}
