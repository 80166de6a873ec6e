// The rules every graph keeps, checked in one walk. Passes and importers may be wrong; what follows them need not be
// prepared for it.

import { OctetteError } from "../errors";
import { bodiesOf, checkBodies, graphsIn } from "./bodies";
import { type Attribute, type Graph, type Node, readsOf } from "./graph";
import type { Shape } from "./symbols";
import { bytesPerElement, type Constant, sizeOf } from "./tensor";

/**
 * Checks a graph: unique names, topological order, outputs that exist, plain attributes, whole integer layers,
 * and, with a registry, that every op is in it; the same of the graphs within it.
 * @throws OctetteError "graph" that names the node or value.
 */
export function verify(graph: Graph<Constant>, registry?: Readonly<Record<string, unknown>>): void {
  verifyAt(0, graph, registry);
  checkBodies(0, graph.name, graphsIn(graph).length - 1);
}

function verifyAt(depth: number, graph: Graph<Constant>, registry?: Readonly<Record<string, unknown>>): void {
  checkBodies(depth, graph.name);
  const fail = (
    what: string,
    where = graph.name,
    facts: { expected?: string; got?: string; hint?: string } = {},
  ): never => {
    throw new OctetteError(what, { code: "graph", where, ...facts });
  };
  const values = new Set<string>();
  const define = (value: string, where: string) => {
    if (value === "") fail("a value without a name", where);
    if (values.has(value)) fail(`value "${value}" is defined twice`, where);
    values.add(value);
  };

  const checkDtype = (dtype: string, where: string) => {
    if (!Object.hasOwn(bytesPerElement, dtype)) fail("unknown dtype", where, { got: String(dtype) });
  };
  const checkDims = (shape: Shape, where: string) => {
    for (const dim of shape)
      if (typeof dim === "number" ? !Number.isSafeInteger(dim) || dim < 0 : dim === "")
        fail("invalid dimension", where, { expected: "an integer ≥ 0 or a symbol", got: String(dim) });
  };

  for (const { name, shape, preprocessing } of graph.inputs) {
    define(name, `input "${name}"`);
    const { scale = 1, mean = [], std = [], of } = preprocessing ?? {};
    if (![scale, ...mean, ...std].every(Number.isFinite))
      fail("its preprocessing is not finite", `input "${name}"`);
    if (of !== undefined && of !== "numbers")
      fail("its preprocessing is of no such feeds", `input "${name}"`, {
        expected: '"numbers", or left out',
        got: String(of),
      });
    checkDims(shape, `input "${name}"`);
  }
  for (const [name, { dtype, shape, data }] of graph.constants) {
    define(name, `constant "${name}"`);
    checkDtype(dtype, `constant "${name}"`);
    const length = data?.length ?? sizeOf(shape);
    if (shape.some((dim) => !Number.isSafeInteger(dim) || dim < 0) || sizeOf(shape) !== length)
      fail("its elements do not fill its shape", `constant "${name}"`, {
        expected: `[${shape.join(", ")}]`,
        got: `${length} elements`,
      });
  }

  for (const { name, dtype, shape } of graph.states ?? []) {
    define(name, `state "${name}"`);
    checkDtype(dtype, `state "${name}"`);
    checkDims(shape, `state "${name}"`);
  }

  const names = new Set<string>();
  const producedLater = new Set(graph.nodes.flatMap((node) => node.outputs));
  for (const node of graph.nodes) {
    const where = `${node.op} "${node.name}"`;
    if (node.name === "") fail("a node without a name", where);
    if (names.has(node.name)) fail("another node has this name", where);
    names.add(node.name);
    if (registry && !Object.hasOwn(registry, node.op)) fail(`operator ${node.op} is unknown`, where);
    for (const [name, attribute] of Object.entries(node.attributes))
      if (!isPlain(attribute)) fail(`attribute ${name} is not plain data`, where, { got: typeof attribute });
    for (const input of readsOf(node)) {
      if (values.has(input)) continue;
      if (producedLater.has(input))
        fail(`input "${input}" is produced only later`, where, { expected: "topological order" });
      fail(`input "${input}" is produced by no node`, where);
    }
    const fault = node.codes && faultOf(node);
    if (fault) fail(fault, where);
    if (node.attributes.found === undefined && node.outputs.every((output) => output === ""))
      fail("a node without outputs", where);
    for (const output of node.outputs) if (output !== "") define(output, where);
    for (const body of bodiesOf(node)) verifyAt(depth + 1, body, registry);
  }
  for (const output of graph.outputs)
    if (!values.has(output)) fail(`output "${output}" is produced by no node`);
}

const isPlain = (value: Attribute): boolean =>
  typeof value === "number" ||
  typeof value === "string" ||
  (Array.isArray(value) && value.every((item) => typeof item === "number" || typeof item === "string"));

/** What is wrong with the codes of an integer layer. */
function faultOf({ op, inputs, codes }: Node): string | undefined {
  if (op === "QuantizeLinear" || op === "DequantizeLinear") return "it has codes of its own";
  const { inputs: parameters, output, bounds } = codes!;
  if (!parameters.some(Boolean)) return "an integer layer that reads no codes";
  if (parameters.length > inputs.length || parameters.some((p, i) => p && inputs[i] === ""))
    return "an integer layer has code parameters of an input that is left out";
  if (parameters.some((p) => p?.groups && !(Number.isSafeInteger(p.groups.size) && p.groups.size > 0)))
    return "an integer layer has groups of weights of no size";
  if (output?.groups) return "an integer layer makes codes in groups";
  if (output?.scale === "") return "an integer layer has codes without a scale";
  if (bounds && (Number.isNaN(bounds.lo) || Number.isNaN(bounds.hi)))
    return "an integer layer has bounds that are not numbers";
  return undefined;
}
