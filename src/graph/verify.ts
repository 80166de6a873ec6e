// The rules every graph keeps, checked in one walk. Passes and importers may be wrong; what follows them need not be
// prepared for it.

import { OctetteError } from "../errors";
import { type Attribute, consumersOf, type Graph, regionsOf } from "./graph";
import { bytesPerElement, type Constant, sizeOf } from "./tensor";

/**
 * Checks a graph: unique names, topological order, outputs that exist, plain attributes, well-formed integer regions,
 * and, with a registry, that every op is in it.
 * @throws OctetteError "graph" that names the node or value.
 */
export function verify(graph: Graph<Constant>, registry?: Readonly<Record<string, unknown>>): void {
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
    for (const dim of shape)
      if (typeof dim === "number" ? !Number.isSafeInteger(dim) || dim < 0 : dim === "")
        fail("a dimension is not one", `input "${name}"`, {
          expected: "an integer ≥ 0 or a symbol",
          got: String(dim),
        });
  }
  for (const [name, { dtype, shape, data }] of graph.constants) {
    define(name, `constant "${name}"`);
    if (!Object.hasOwn(bytesPerElement, dtype))
      fail("unknown dtype", `constant "${name}"`, { got: String(dtype) });
    const length = data?.length ?? sizeOf(shape);
    if (shape.some((dim) => !Number.isSafeInteger(dim) || dim < 0) || sizeOf(shape) !== length)
      fail("its elements do not fill its shape", `constant "${name}"`, {
        expected: `[${shape.join(", ")}]`,
        got: `${length} elements`,
      });
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
    for (const input of node.inputs) {
      if (input === "" || values.has(input)) continue;
      if (producedLater.has(input))
        fail(`input "${input}" is produced only later`, where, { expected: "topological order" });
      fail(`input "${input}" is produced by no node`, where);
    }
    if (node.outputs.every((output) => output === "")) fail("a node without outputs", where);
    for (const output of node.outputs) if (output !== "") define(output, where);
  }
  for (const output of graph.outputs)
    if (!values.has(output)) fail(`output "${output}" is produced by no node`);
  verifyRegions(graph);
}

const isPlain = (value: Attribute): boolean =>
  typeof value === "number" ||
  typeof value === "string" ||
  (Array.isArray(value) && value.every((item) => typeof item === "number" || typeof item === "string"));

/** DequantizeLinear… → one op [→ Relu | Clip] [→ QuantizeLinear], and nothing else sees the values in between. */
function verifyRegions(graph: Graph<Constant>): void {
  const regions = regionsOf(graph);
  if (regions.size === 0) return;
  const consumers = consumersOf(graph);
  const outputs = new Set(graph.outputs);
  for (const [region, nodes] of regions) {
    const fail = (what: string) =>
      new OctetteError(what, {
        code: "graph",
        where: `region "${region}"`,
        expected: "DequantizeLinear… → one op → [Relu or Clip] → [QuantizeLinear]",
        got: nodes.map((node) => node.op).join(" → "),
      });
    const rest = nodes.filter((node) => node.op !== "DequantizeLinear");
    const dequantized = nodes
      .filter((node) => node.op === "DequantizeLinear")
      .map((node) => node.outputs[0]!);
    const chain = [...rest];
    const core = chain.shift();
    if (!core || core.op === "QuantizeLinear") throw fail("it has no core op");
    if (chain[0]?.op === "Relu" || chain[0]?.op === "Clip") chain.shift();
    if (chain[0]?.op === "QuantizeLinear") chain.shift();
    if (chain.length > 0) throw fail("it is not a region");
    const read = new Set(core.inputs);
    for (const value of dequantized)
      if (!read.has(value)) throw fail(`"${value}" is not read by ${core.op} "${core.name}"`);
    if (dequantized.length === 0) throw fail("its core op reads no codes");
    for (const [i, node] of rest.slice(1).entries())
      if (node.inputs[0] !== rest[i]!.outputs[0])
        throw fail(`${node.op} "${node.name}" does not read ${rest[i]!.op} "${rest[i]!.name}"`);
    const inner = [...dequantized, ...rest.slice(0, -1).flatMap((node) => node.outputs)];
    for (const value of inner) {
      const outside = consumers.get(value)?.find((node) => node.region !== region);
      if (outside) throw fail(`"${value}" is read outside of it, by ${outside.op} "${outside.name}"`);
      if (outputs.has(value)) throw fail(`"${value}" is read outside of it, as an output of the graph`);
    }
  }
}
