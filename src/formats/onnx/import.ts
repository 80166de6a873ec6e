// ONNX → Graph, opset 7 and later, without changing what is computed: no pass runs here and no type in the file is
// believed except those of the graph's inputs. What a file may hold and octette cannot run is an error that names it.

import { conversions as all } from "../../../build/groups/conversions";
import { OctetteError } from "../../errors";
import type { Graph, Input, Node } from "../../graph/graph";
import { FreshNames, told, toldNames } from "../../graph/names";
import { type Tensor, tensor } from "../../graph/tensor";
import { verify } from "../../graph/verify";
import { checkOptions, type Names } from "../../options";
import { saturateToI32 } from "../elements";
import {
  dataTypeName,
  dtypeOf,
  kindOf,
  type ModelProto,
  type NodeProto,
  readModel,
  type StoredKind,
  toTensor,
  type ValueInfoProto,
} from "./proto";
import { type Conversions, Source } from "./source";
import { SymbolTable } from "./symbols";
import { rejectWide } from "./wide";

/** Nodes of a file. Simplified, a graph may have far fewer: exporters write shapes and constants with many. */
export const MAX_FILE_NODES = 2 ** 16;
/** Operators that an error names. */
const MAX_MISSING = 32;

/** Before it, broadcasting and BatchNormalization meant something else. */
export const MIN_OPSET = 7;

export interface OnnxOptions {
  /** Name of the graph, and of the file in errors; default the name in the file, "model" in errors. */
  readonly name?: string;
  /** Values for symbolic dimensions, such as `{ batch: 1 }`; default: they stay symbols. */
  readonly symbols?: Readonly<Record<string, number>>;
}

const ONNX = { name: 1, symbols: 1 } satisfies Names<OnnxOptions>;

/**
 * Reads an ONNX model into a graph, as it is written. int64 values become i32, f16 and f64 become f32.
 * @throws FormatError when the bytes are not an ONNX model; OctetteError "unsupported" that lists every operator
 * octette does not have; OctetteError "graph" when the model breaks ONNX's own rules.
 */
export function readOnnx(bytes: Uint8Array, options: OnnxOptions = {}, own: Conversions = {}): Graph {
  checkOptions("importOnnx", options, ONNX);
  return convertModel(readModel(bytes, options.name ?? "model"), options, own);
}

/** The graph of a model that was read, with the tensors that lie in other files. */
export function convertModel(model: ModelProto, options: OnnxOptions, own: Conversions): Graph {
  const where = options.name ?? "model";
  const opset = opsetOf(model, where);
  checkNodes(model.graph.nodes, where);
  const conversions = { ...all, ...own };
  rejectMissing(model, conversions, opset, where);

  const constants = readConstants(model, where);
  rejectWide(model, constants);
  const { nodes, defined } = convertNodes(model, conversions, opset, constants, where);
  const inputs = readInputs(model, where, constants, options.symbols ?? {});
  const used = new Set([
    ...nodes.flatMap((node) => node.inputs),
    ...model.graph.outputs.map(({ name }) => name),
  ]);
  const graph: Graph = {
    name: options.name ?? (model.graph.name || "model"),
    inputs,
    outputs: model.graph.outputs.map(({ name }) => name),
    nodes,
    constants: new Map([...constants.among(used), ...defined]),
    provenance: provenanceOf(model, opset),
  };
  verify(graph);
  return graph;
}

function checkNodes({ length }: readonly unknown[], where: string): void {
  if (length <= MAX_FILE_NODES) return;
  throw new OctetteError("the graph has too many nodes", {
    code: "limit",
    where,
    expected: `at most MAX_FILE_NODES = ${MAX_FILE_NODES}, those that operators are written with included`,
    got: `${length} or more`,
  });
}

const isOnnx = (domain: string) => domain === "" || domain === "ai.onnx";
const isConstant = ({ opType, domain }: NodeProto) => opType === "Constant" && isOnnx(domain);
/** What conversions know an operator by. */
const operatorOf = ({ opType, domain }: NodeProto) => (isOnnx(domain) ? opType : `${domain}.${opType}`);

function opsetOf(model: ModelProto, where: string): number {
  const opset = model.opsetImport.find(({ domain }) => isOnnx(domain))?.version;
  if (opset !== undefined && opset >= MIN_OPSET) return opset;
  throw new OctetteError(opset === undefined ? "no opset of ONNX is imported" : "its opset is too old", {
    code: "unsupported",
    where,
    expected: `opset ${MIN_OPSET} or later`,
    ...(opset === undefined ? {} : { got: `opset ${opset}` }),
    hint: "Convert it: in Python, onnx.version_converter.convert_version(model, 17)",
  });
}

/** The first version of each domain that a model imports. */
const versionsOf = ({ opsetImport }: ModelProto): ReadonlyMap<string, number> =>
  new Map(opsetImport.map(({ domain, version }) => [domain, version] as const).reverse());

/** One error for all operators that are missing, each with its nodes. */
function rejectMissing(model: ModelProto, conversions: Conversions, opset: number, where: string): void {
  const missing = new Map<string, string[]>();
  const versions = versionsOf(model);
  const functions = new Set(model.functions);
  for (const [i, node] of model.graph.nodes.entries()) {
    const { opType, domain } = node;
    const full = operatorOf(node);
    if (isConstant(node) || Object.hasOwn(conversions, full)) continue;
    const kind = functions.has(`${domain}.${opType}`)
      ? "a function of the model's own"
      : `opset ${isOnnx(domain) ? opset : (versions.get(domain) ?? "unknown")}`;
    const key = `${told(full)} (domain "${told(domain || "ai.onnx")}", ${kind})`;
    const names = missing.get(key) ?? [];
    names.push(`"${told(node.name || `${opType}_${i}`)}"`);
    missing.set(key, names);
  }
  if (missing.size === 0) return;
  throw new OctetteError("operators that octette does not have", {
    code: "unsupported",
    where,
    got: [...missing]
      .slice(0, MAX_MISSING)
      .map(([key, names]) => `${key} in ${toldNames(names)}`)
      .join("; "),
    hint: "Cut the model before them, or write them with other operators when exporting",
  });
}

/** Initializers and Constant nodes, decoded when first asked for. */
interface Constants {
  has(name: string): boolean;
  constant(name: string): Tensor | undefined;
  kind(name: string): StoredKind;
  among(used: ReadonlySet<string>): Map<string, Tensor>;
}

function readConstants(model: ModelProto, where: string): Constants {
  const read = new Map<string, () => Tensor>();
  const kinds = new Map<string, StoredKind>();
  const define = (name: string, make: () => Tensor, kind: StoredKind) => {
    if (read.has(name))
      throw new OctetteError(`constant "${name}" is defined twice`, { code: "graph", where });
    kinds.set(name, kind);
    let made: Tensor | undefined;
    read.set(name, () => (made ??= make()));
  };
  for (const proto of model.graph.initializers)
    define(proto.name, () => toTensor(proto), kindOf(proto.dataType));
  for (const node of model.graph.nodes)
    if (isConstant(node)) define(node.outputs[0] ?? "", () => constantTensor(node), constantKind(node));
  return {
    has: (name) => read.has(name),
    constant: (name) => read.get(name)?.(),
    kind: (name) => kinds.get(name),
    among: (used) =>
      new Map([...read].filter(([name]) => used.has(name)).map(([name, make]) => [name, make()])),
  };
}

/** How the number that a Constant node is would be stored in a tensor. */
function constantKind({ attributes }: NodeProto): StoredKind {
  const [attribute] = attributes.values();
  if (attribute?.kind === "tensor") return kindOf(attribute.value.dataType);
  return attribute?.kind === "int" || attribute?.kind === "ints" ? "i64" : "f32";
}

/** Value of a Constant node. */
function constantTensor(node: NodeProto): Tensor {
  const [attribute, second] = node.attributes.values();
  if (second)
    throw new OctetteError("a constant of two values", {
      code: "graph",
      where: `Constant "${node.name || node.outputs[0]}"`,
      got: [...node.attributes.keys()].join(", "),
    });
  switch (attribute?.kind) {
    case "tensor":
      return toTensor(attribute.value);
    case "float":
      return tensor("f32", [], [attribute.value]);
    case "int":
      return tensor("i32", [], [saturateToI32(attribute.value)]);
    case "floats":
      return tensor("f32", [attribute.value.length], attribute.value);
    case "ints":
      return tensor("i32", [attribute.value.length], attribute.value.map(saturateToI32));
    default:
      throw new OctetteError("a constant that is neither numbers nor a dense tensor", {
        code: "unsupported",
        where: `Constant "${node.name || node.outputs[0]}"`,
        got: attribute ? attribute.kind : "no attribute",
      });
  }
}

function convertNodes(
  model: ModelProto,
  conversions: Conversions,
  opset: number,
  constants: Constants,
  where: string,
): { readonly nodes: readonly Node[]; readonly defined: ReadonlyMap<string, Tensor> } {
  const { graph } = model;
  const names = new Set(graph.nodes.map((node) => node.name).filter(Boolean));
  const values = [...graph.inputs, ...graph.initializers].map(({ name }) => name);
  const taken = new FreshNames([...values, ...graph.nodes.flatMap((node) => node.outputs), ...names]);
  const fresh = (wanted: string) => taken.fresh(wanted);
  const versions = versionsOf(model);
  const defined = new Map<string, Tensor>();
  const define = (wanted: string, value: Tensor) => {
    const name = fresh(wanted);
    defined.set(name, value);
    return name;
  };
  const ranks = new Map(
    [...graph.valueInfo, ...graph.inputs].map(({ name, shape }) => [name, shape?.length]),
  );
  const rank = (value: string) => ranks.get(value) ?? constants.constant(value)?.shape.length;
  const around = { fresh, define, rank, constant: constants.constant, kind: constants.kind };
  const nodes: Node[] = [];
  for (const [i, proto] of graph.nodes.entries()) {
    if (isConstant(proto)) continue;
    // The first node of a name keeps it.
    const isFirst = names.delete(proto.name);
    const name = isFirst ? proto.name : fresh(proto.name || `${proto.opType}_${i}`);
    const source = new Source(proto, name, {
      ...around,
      opset: isOnnx(proto.domain) ? opset : (versions.get(proto.domain) ?? 1),
    });
    const made = conversions[operatorOf(proto)]!(source);
    source.checkRead(made);
    for (const node of made) nodes.push(node);
    checkNodes(nodes, where);
  }
  return { nodes, defined };
}

/** Inputs that are not constants: before IR version 4, initializers are listed too. */
function readInputs(
  model: ModelProto,
  where: string,
  constants: Constants,
  fixed: Readonly<Record<string, number>>,
): Input[] {
  const inputs = model.graph.inputs.filter(({ name }) => !constants.has(name));
  const symbols = new SymbolTable(fixed, inputs);
  const read = inputs.map((info): Input => {
    const dtype = info.elemType === undefined ? undefined : dtypeOf(info.elemType);
    if (!dtype || !info.shape) throw badInput(info, where);
    return { name: info.name, dtype, shape: symbols.dims(info.name, info.shape) };
  });
  symbols.checkFixed(where);
  return read;
}

function badInput({ name, elemType }: ValueInfoProto, where: string): OctetteError {
  const isTensor = elemType !== undefined && dtypeOf(elemType) !== undefined;
  return new OctetteError(isTensor ? "its number of dimensions is not given" : "not a tensor of numbers", {
    code: "unsupported",
    where: `${where}, input "${name}"`,
    expected: "a dense tensor of known rank",
    got: elemType === undefined ? "a sequence, map or optional value" : dataTypeName(elemType),
    ...(isTensor ? { hint: "Export the model with the shapes of its inputs" } : {}),
  });
}

function provenanceOf(model: ModelProto, opset: number): Graph["provenance"] {
  const { producerName, producerVersion, irVersion, metadata } = model;
  return {
    format: "onnx",
    ...(producerName === "" ? {} : { producer: [producerName, producerVersion].filter(Boolean).join(" ") }),
    opset,
    irVersion,
    ...(metadata.size === 0 ? {} : { metadata: Object.fromEntries(metadata) }),
  };
}
