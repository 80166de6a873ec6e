// A graph written as compact rows (graph-rows.ts).

import type { CodeParameters, Codes, Graph, Node } from "../graph/graph";
import type { Constant, Tensor } from "../graph/tensor";
import { inOrder, MAX_PREFIX, written } from "./graph-rows";

/** Code units of a text after which a beginning is not looked for. */
const MAX_SUFFIX = 16;

export interface Encoded<C extends Constant = Tensor> {
  readonly json: string;
  readonly tensors: Map<string, C>;
}

/** JSON of a graph, and the constants that do not stand in it: a scalar does where its number is here. */
export function encodeGraph<C extends Constant>({
  name,
  inputs,
  outputs,
  nodes,
  constants,
  states = [],
}: Graph<C>): Encoded<C> {
  const strings = new Map<string, number>();
  /** Constants that a row names. */
  const named = new Set<string>();
  const text = (string: string): number => {
    const known = strings.get(string) ?? strings.size;
    strings.set(string, known);
    return known;
  };
  const value = (name: string): number => {
    if (name === "") return -1;
    if (constants.has(name)) named.add(name);
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
  const row = ({ op, name, attributes, inputs, outputs, codes }: Node) => [
    ...[op, text(name), sorted(attributes), inputs.map(value), outputs.map(value)],
    ...(codes ? [codesOf(codes)] : []),
  ];
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
  };
  const tensors = new Map<string, C>();
  for (const constant of named) {
    const { dtype, shape, data } = constants.get(constant)!;
    const isScalar = data?.length === 1 && Number.isFinite(data[0]) && !Object.is(data[0], -0);
    if (isScalar) header.scalars.push([value(constant), dtype, shape, data[0]]);
    else tensors.set(constant, constants.get(constant)!);
  }
  header.strings = shortened([...strings.keys()]);
  return { json: JSON.stringify(header), tensors };
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
