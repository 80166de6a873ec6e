// The artifact: a valid safetensors file whose metadata hold the graph, its integer regions, quantization and
// preprocessing as JSON, with two hashes. Names stand once in a table, numbers too small for a tensor stand in the
// JSON. Nothing about types of computed values is stored: they are inferred when the file is loaded.

import { sha256 } from "@noble/hashes/sha2.js";
import { bytesToHex } from "@noble/hashes/utils.js";
import { FormatError } from "../errors";
import type { Attribute, Graph, Input, Node, Preprocessing } from "../graph/graph";
import type { Dim } from "../graph/symbols";
import { type DType, sizeOf, type Tensor, tensor } from "../graph/tensor";
import { readSafetensors, writeSafetensors } from "./safetensors";

/** Version of what the metadata mean; a reader refuses a newer one. */
export const ARTIFACT_VERSION = 1;
/** Constants of at most so many elements stand in the JSON. */
const INLINE_ELEMENTS = 1;
const NO_HASH = "0".repeat(64);
const dtypes: readonly string[] = ["f32", "i8", "u8", "i32", "bool"] satisfies DType[];

/** A seeded input's output, hashed: what a device checks itself by. */
export interface SelfTest {
  readonly seed: number;
  /** SHA-256 of all outputs' bytes, in order. */
  readonly hash: string;
}

export interface Artifact {
  readonly graph: Graph;
  /** SHA-256 of graph, quantization and tensors: what a delta names as its base. */
  readonly contentHash: string;
  /** SHA-256 of the file, this hash taken as zeros. */
  readonly fileHash: string;
  readonly selfTest?: SelfTest;
}

type Row = readonly [
  op: string,
  name: number,
  inputs: number[],
  outputs: number[],
  attributes: object,
  region?: number,
];

interface Header {
  readonly name: string;
  readonly strings: string[];
  readonly inputs: [name: number, dtype: DType, shape: readonly Dim[], preprocessing?: Preprocessing][];
  readonly outputs: number[];
  readonly scalars: [name: number, dtype: DType, shape: readonly number[], values: number[]][];
  readonly nodes: Row[];
}

/** Bytes of an artifact. Equal graphs give equal bytes. */
export function writeArtifact(graph: Graph, selfTest?: SelfTest): Uint8Array<ArrayBuffer> {
  const { header, tensors } = split(graph);
  const metadata = {
    format: "octette",
    version: `${ARTIFACT_VERSION}`,
    graph: header,
    provenance: JSON.stringify(graph.provenance),
    ...(selfTest ? { self_test: `${selfTest.seed} ${selfTest.hash}` } : {}),
    content_hash: contentHashOf(header, tensors),
    file_hash: NO_HASH,
  };
  const hash = bytesToHex(sha256(writeSafetensors(tensors, metadata)));
  return writeSafetensors(tensors, { ...metadata, file_hash: hash });
}

/**
 * Reads an artifact and checks its hash. Throws FormatError where the file is truncated, changed or not an artifact.
 * Constants are views of `bytes`.
 */
export function readArtifact(bytes: Uint8Array, where = "artifact"): Artifact {
  const { tensors, metadata } = readSafetensors(bytes, where);
  if (metadata.format !== "octette")
    throw new FormatError("not an octette model", {
      where,
      expected: 'safetensors metadata with format "octette"',
      got: metadata.format === undefined ? "none" : JSON.stringify(metadata.format),
      hint: "Make one with `octette quantize MODEL.onnx -o OUT.octette`",
    });
  if (metadata.version !== `${ARTIFACT_VERSION}`)
    throw new FormatError("another version of the format", {
      where,
      expected: `version ${ARTIFACT_VERSION}`,
      got: `${metadata.version}`,
      hint: "Update octette, or write the model again with this one",
    });
  const {
    graph: header = "",
    provenance = "{}",
    content_hash: contentHash = "",
    file_hash: fileHash = "",
  } = metadata;
  const actual = fileHashOf(bytes, fileHash);
  if (actual !== fileHash)
    throw new FormatError("the file was changed or damaged", {
      where,
      expected: `SHA-256 ${fileHash}`,
      got: actual,
      hint: "Copy it again",
    });
  const graph = join(
    parse(header, where),
    tensors,
    parse(provenance, where) as Record<string, unknown>,
    where,
  );
  const selfTest = /^(\d+) ([0-9a-f]{64})$/.exec(metadata.self_test ?? "");
  return {
    graph,
    contentHash,
    fileHash,
    ...(selfTest ? { selfTest: { seed: Number(selfTest[1]), hash: selfTest[2]! } } : {}),
  };
}

/** Hash of the file with its own hash field as zeros. */
function fileHashOf(bytes: Uint8Array, stated: string): string {
  const field = new TextEncoder().encode(stated);
  const at = stated.length === 64 ? indexOf(bytes, field) : -1;
  if (at < 0) return "";
  return bytesToHex(
    sha256
      .create()
      .update(bytes.subarray(0, at))
      .update(new TextEncoder().encode(NO_HASH))
      .update(bytes.subarray(at + 64))
      .digest(),
  );
}

function indexOf(bytes: Uint8Array, part: Uint8Array): number {
  for (let at = bytes.indexOf(part[0]!); at >= 0; at = bytes.indexOf(part[0]!, at + 1))
    if (part.every((byte, i) => bytes[at + i] === byte)) return at;
  return -1;
}

function contentHashOf(header: string, tensors: ReadonlyMap<string, Tensor>): string {
  const hash = sha256.create().update(new TextEncoder().encode(header));
  for (const [name, { dtype, shape, data }] of [...tensors].sort(([a], [b]) => (a < b ? -1 : 1)))
    hash
      .update(new TextEncoder().encode(`\n${JSON.stringify([name, dtype, shape])}`))
      .update(new Uint8Array(data.buffer, data.byteOffset, data.byteLength));
  return bytesToHex(hash.digest());
}

/** The graph as JSON, and the constants that are tensors of the file. */
function split(graph: Graph): { header: string; tensors: Map<string, Tensor> } {
  const strings = new Map<string, number>();
  const index = (text: string) => {
    const known = strings.get(text);
    if (known !== undefined) return known;
    strings.set(text, strings.size);
    return strings.size - 1;
  };
  const named = shortNames(graph);
  const value = (name: string) => index(named.get(name) ?? name);
  const tensors = new Map<string, Tensor>();
  const scalars: Header["scalars"] = [];
  for (const [name, constant] of graph.constants) {
    const inline = constant.data.length <= INLINE_ELEMENTS && constant.data.every(Number.isFinite);
    if (inline) scalars.push([value(name), constant.dtype, constant.shape, [...constant.data]]);
    else tensors.set(name, constant);
  }
  const nodes = graph.nodes.map((node): Row => {
    const row = [
      node.op,
      index(node.name),
      node.inputs.map(value),
      node.outputs.map(value),
      node.attributes,
    ] as const;
    return node.region === undefined ? [...row] : [...row, index(node.region)];
  });
  const header: Header = {
    name: graph.name,
    strings: [],
    inputs: graph.inputs.map(({ name, dtype, shape, preprocessing }) =>
      preprocessing ? [value(name), dtype, shape, preprocessing] : [value(name), dtype, shape],
    ),
    outputs: graph.outputs.map(value),
    scalars,
    nodes,
  };
  header.strings.push(...strings.keys());
  return { header: JSON.stringify(header), tensors };
}

/** Values inside a region never exist by themselves; their names need not be long. */
function shortNames(graph: Graph): Map<string, string> {
  const inner = graph.nodes.filter((node) => node.region !== undefined && node.op === "DequantizeLinear");
  return new Map(inner.map((node, i) => [node.outputs[0]!, `#${i}`]));
}

function parse(json: string, where: string): unknown {
  try {
    return JSON.parse(json);
  } catch (cause) {
    throw new FormatError(`metadata are not JSON: ${(cause as Error).message}`, { where });
  }
}

/** Puts a graph together, believing nothing: every index, type and name is checked. */
function join(
  json: unknown,
  tensors: ReadonlyMap<string, Tensor>,
  provenance: Record<string, unknown>,
  where: string,
): Graph {
  const fail = (what: string, got?: unknown): never => {
    throw new FormatError(`the graph is damaged: ${what}`, { where, got: JSON.stringify(got) ?? "nothing" });
  };
  const list = (value: unknown, what: string): readonly unknown[] =>
    Array.isArray(value) ? value : fail(`${what} is not a list`, value);
  const object = (value: unknown, what: string): Record<string, unknown> =>
    typeof value === "object" && value !== null && !Array.isArray(value)
      ? (value as Record<string, unknown>)
      : fail(`${what} is not an object`, value);
  const header = object(json, "it");
  const strings = list(header.strings, "strings").map((s) => (typeof s === "string" ? s : fail("a name", s)));
  const text = (i: unknown): string => strings[i as number] ?? fail("no such name", i);
  const dtype = (value: unknown) =>
    dtypes.includes(value as string) ? (value as DType) : fail("element type", value);
  const dims = (value: unknown): Dim[] =>
    list(value, "shape").map((dim) =>
      (Number.isSafeInteger(dim) && (dim as number) >= 0) || (typeof dim === "string" && /^\w+$/.test(dim))
        ? (dim as Dim)
        : fail("dimension", dim),
    );
  const sizes = (value: unknown) =>
    dims(value).map((dim) => (typeof dim === "number" ? dim : (fail("size", dim) as never)));

  const constants = new Map(tensors);
  for (const scalar of list(header.scalars, "scalars")) {
    const [name, type, shape, values] = list(scalar, "scalar");
    const numbers = list(values, "scalar").map((v) =>
      typeof v === "number" ? v : (fail("number", v) as never),
    );
    const size = sizes(shape);
    if (numbers.length !== sizeOf(size)) fail("elements of a scalar", numbers.length);
    constants.set(text(name), tensor(dtype(type), size, numbers));
  }
  const inputs = list(header.inputs, "inputs").map((input): Input => {
    const [name, type, shape, preprocessing] = list(input, "input");
    const plain = { name: text(name), dtype: dtype(type), shape: dims(shape) };
    return preprocessing === undefined
      ? plain
      : { ...plain, preprocessing: checkPreprocessing(preprocessing) };
  });
  function checkPreprocessing(value: unknown): Preprocessing {
    const { layout, scale, mean, std } = object(value, "preprocessing");
    const numbers = (v: unknown) =>
      list(v, "preprocessing").length > 0 && list(v, "preprocessing").every((n) => typeof n === "number")
        ? (v as number[])
        : (fail("preprocessing", v) as never);
    if ((layout !== "nchw" && layout !== "nhwc") || typeof scale !== "number") fail("preprocessing", value);
    return { layout: layout as "nchw", scale: scale as number, mean: numbers(mean), std: numbers(std) };
  }
  const nodes = list(header.nodes, "nodes").map((row): Node => {
    const [op, name, ins, outs, attributes, region] = list(row, "node");
    const node = {
      op: typeof op === "string" ? op : fail("operator", op),
      name: text(name),
      inputs: list(ins, "inputs").map(text),
      outputs: list(outs, "outputs").map(text),
      attributes: checkAttributes(object(attributes, "attributes")),
    };
    return region === undefined ? node : { ...node, region: text(region) };
  });
  function checkAttributes(attributes: Record<string, unknown>): Record<string, Attribute> {
    const isPlain = (v: unknown) => typeof v === "number" || typeof v === "string";
    for (const [name, value] of Object.entries(attributes))
      if (!isPlain(value) && !(Array.isArray(value) && value.every(isPlain)))
        fail(`attribute ${name}`, value);
    return attributes as Record<string, Attribute>;
  }
  return {
    name: typeof header.name === "string" ? header.name : fail("name", header.name),
    inputs,
    outputs: list(header.outputs, "outputs").map(text),
    nodes,
    constants,
    provenance: object(provenance, "provenance"),
  };
}
