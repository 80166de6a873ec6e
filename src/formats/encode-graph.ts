// A graph written as compact rows (graph-rows.ts).

import { graphsIn } from "../graph/bodies";
import { type CodeParameters, type Codes, type Graph, type Node, renamed, valueNames } from "../graph/graph";
import { FreshNames } from "../graph/names";
import type { Constant, Tensor } from "../graph/tensor";
import { inOrder, MAX_PREFIX, written } from "./graph-rows";

/** Code units of a text after which a beginning is not looked for. */
const MAX_SUFFIX = 16;

export interface Encoded<C extends Constant = Tensor> {
  readonly json: string;
  readonly tensors: Map<string, C>;
}

/** JSON of a graph, and the constants that do not stand in it: a scalar does where its number is here. */
export function encodeGraph<C extends Constant>(graph: Graph<C>): Encoded<C> {
  const tensors = new Map<string, C>();
  const names = new Set(graphsIn(graph).flatMap(valueNames));
  const header = headerOf(graph, {
    tensors,
    names: new FreshNames(names),
    outer: new Set(valueNames(graph)),
  });
  return { json: JSON.stringify(header), tensors };
}

/** What a graph and those within it share. */
interface Whole<C extends Constant> {
  /** Constants by their names in the file: those of the graph itself have their own. */
  readonly tensors: Map<string, C>;
  readonly names: FreshNames;
  /** Names that the graph itself has. */
  readonly outer: ReadonlySet<string>;
}

/** A graph within the graph, whose constants have the names that they have in the file: one that several graphs have is there once. */
function scoped<C extends Constant>(body: Graph<C>, { tensors, names, outer }: Whole<C>): Graph<C> {
  const own = new Set(valueNames(body));
  const known = new Map([...tensors].map(([name, constant]) => [constant, name] as const));
  const renaming = new Map<string, string>();
  for (const [name, constant] of body.constants) {
    if (isScalar(constant)) continue;
    const there = known.get(constant);
    const isFree = !tensors.has(name) && !outer.has(name);
    if (there === name || (there === undefined && isFree)) continue;
    renaming.set(name, there !== undefined && !own.has(there) ? there : names.fresh(name));
  }
  if (renaming.size === 0) return body;
  const nameOf = (name: string) => renaming.get(name) ?? name;
  return {
    ...body,
    outputs: body.outputs.map(nameOf),
    nodes: body.nodes.map((node) => renamed(node, nameOf)),
    constants: new Map([...body.constants].map(([name, constant]) => [nameOf(name), constant])),
  };
}

/** Whether its number stands in the graph. */
const isScalar = ({ data }: Constant) =>
  data?.length === 1 && Number.isFinite(data[0]) && !Object.is(data[0], -0);

function headerOf<C extends Constant>(
  { name, inputs, outputs, nodes, constants, states = [], classes }: Graph<C>,
  whole: Whole<C>,
  isBody = false,
): unknown {
  const strings = new Map<string, number>();
  /** Constants that a row names. */
  const read = new Set<string>();
  const text = (string: string): number => {
    const known = strings.get(string) ?? strings.size;
    strings.set(string, known);
    return known;
  };
  const value = (name: string): number => {
    if (name === "") return -1;
    if (constants.has(name)) read.add(name);
    return text(name);
  };
  const parameters = (p: CodeParameters | undefined) => {
    if (!p) return null;
    const { axis, groups } = p;
    const pair = [value(p.scale), value(p.zeroPoint)];
    if (!groups) return axis === undefined ? pair : [...pair, axis];
    const offsets = groups.offsets === undefined ? [] : [value(groups.offsets)];
    return [...pair, axis ?? null, [groups.size, value(groups.scales), ...offsets]];
  };
  const codesOf = ({ inputs, output, bounds }: Codes) => [
    ...[inputs.map(parameters), parameters(output)],
    ...(bounds ? [[boundOf(bounds.lo), boundOf(bounds.hi)]] : []),
  ];
  const row = ({ op, name, attributes, inputs, outputs, codes, graphs }: Node) => [
    ...[op, text(name), sorted(attributes), inputs.map(value), outputs.map(value)],
    ...(codes ? [codesOf(codes)] : graphs ? [null] : []),
    ...(graphs ? [headersOf(graphs)] : []),
  ];
  const headersOf = (graphs: NonNullable<Node["graphs"]>) =>
    Object.fromEntries(
      Object.entries(graphs)
        .sort(([a], [b]) => (a < b ? -1 : 1))
        .map(([name, body]) => [name, headerOf(scoped(body as Graph<C>, whole), whole, true)]),
    );
  const header = {
    name,
    inputs: inputs.map(({ name, dtype, shape, preprocessing }) => [
      ...[value(name), dtype, shape],
      ...(preprocessing ? [inOrder(preprocessing)] : []),
    ]),
    outputs: outputs.map(value),
    ...(states.length > 0 && { states: states.map(({ name, dtype, shape }) => [value(name), dtype, shape]) }),
    nodes: nodes.map(row),
    scalars: [] as unknown[],
    strings: [] as unknown[],
    ...(classes && { classes }),
  };
  const own: number[] = [];
  for (const constant of read) {
    const known = constants.get(constant)!;
    const { dtype, shape, data } = known;
    if (isScalar(known)) header.scalars.push([value(constant), dtype, shape, data![0]]);
    else if (own.push(value(constant))) whole.tensors.set(constant, known);
  }
  header.strings = shortened([...strings.keys()]);
  return isBody ? { ...header, tensors: own } : header;
}

const boundOf = (bound: number) => (Number.isFinite(bound) ? written(bound) : null);

/** Texts that begin with one before them, up to a `_`, as scales do that are named after a value. */
function shortened(strings: readonly string[]): unknown[] {
  const texts = new Map<string, number>();
  return strings.map((text, i) => {
    for (let at = text.lastIndexOf("_"); at > 0; at = text.lastIndexOf("_", at - 1)) {
      const prefix = texts.get(text.slice(0, at));
      if (prefix !== undefined && at <= MAX_PREFIX) return [prefix, text.slice(at)];
      if (text.length - at > MAX_SUFFIX) break;
    }
    texts.set(text, i);
    return text;
  });
}

/** By name, so that equal attributes are equal text. */
const sorted = (attributes: Node["attributes"]) =>
  Object.fromEntries(
    Object.entries(attributes)
      .sort(([a], [b]) => (a < b ? -1 : 1))
      .map(([name, value]) => [name, Array.isArray(value) ? value.map(written) : written(value)]),
  );
