// ONNX → Graph, opset 7 and later, without changing what is computed: no pass runs here and no type in the file is
// believed except those of the graph's inputs. What a file may hold and octette cannot run is an error that names it.

import { conversions as all } from "../../../build/groups/conversions";
import { OctetteError } from "../../errors";
import type { Graph, Input } from "../../graph/graph";
import { FreshNames, told } from "../../graph/names";
import { verify } from "../../graph/verify";
import { checkOptions, type Names } from "../../options";
import { rejectMissing } from "../missing-operators";
import { type Constants, isConstant, isOnnx, readConstants } from "./constants";
import { type IsOperator, inlineFunctions } from "./functions";
import { checkNodes, convertNodes, type File, operatorOf } from "./graphs";
import { firstOpset, MIN_OPSET } from "./opsets";
import {
  dataTypeName,
  dtypeOf,
  type GraphProto,
  type ModelProto,
  readModel,
  type ValueInfoProto,
} from "./proto";
import type { Conversions } from "./source";
import { SymbolTable } from "./symbols";
import { rejectWide } from "./wide";

/** Options of `importOnnx`. */
export interface OnnxOptions {
  /** Name of the graph, and of the file in errors; default the name in the file, "model" in errors. */
  readonly name?: string;
  /** Values for symbolic dimensions, such as `{ batch: 1 }`; default: they stay symbols. */
  readonly symbols?: Readonly<Record<string, number>>;
  /** Names of a classifier's classes, in the order of its scores; the artifact keeps them. Default: none. */
  readonly classes?: readonly string[] | undefined;
}

const ONNX = { name: 1, symbols: 1, classes: 1 } satisfies Names<OnnxOptions>;

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
export function convertModel(written: ModelProto, options: OnnxOptions, own: Conversions): Graph {
  const where = options.name ?? "model";
  const opset = opsetOf(written, where);
  const conversions = { ...all, ...own };
  const isOperator: IsOperator = (node) => isConstant(node) || Object.hasOwn(conversions, operatorOf(node));
  const graph = written.functions.length
    ? inlineFunctions(written, { names: namesIn(graphsIn(written.graph)), isOperator, checkNodes, where })
    : written.graph;
  const model = { ...written, graph };
  const parts = graphsIn(graph);
  checkNodes(nodesOf(graph).length, where);
  const hint = "Cut the model before them, or write them with other operators when exporting";
  rejectMissing(missingIn(model, isOperator, opset), where, hint);
  rejectLater(model, own, opset, where);

  const constants = readConstants(graph, where);
  const held = rejectWide(graph, constants);
  const versions = versionsOf(model);
  const file = { conversions, opset, versions, names: namesIn(parts), sequences: new Map(), made: 0, where };
  const { nodes, defined } = convertNodes(graph, file, { constants, held });
  rejectLists(graph, file.sequences, where);
  const inputs = readInputs(model, where, constants, options.symbols ?? {});
  const used = new Set([...nodes.flatMap((node) => node.inputs), ...graph.outputs.map(({ name }) => name)]);
  const read: Graph = {
    name: options.name ?? (graph.name || "model"),
    inputs,
    outputs: graph.outputs.map(({ name }) => name),
    nodes,
    constants: new Map([...constants.among(used), ...defined]),
    provenance: provenanceOf(model, opset),
  };
  verify(read);
  return read;
}

function rejectLists({ outputs }: GraphProto, sequences: File["sequences"], where: string): void {
  const list = outputs.find(({ name }) => sequences.has(name));
  if (!list) return;
  throw new OctetteError("an output is a list of tensors", {
    code: "unsupported",
    where: `${where}, output "${list.name}"`,
    expected: "a tensor",
    hint: "Export the model with its elements stacked, or as outputs of their own",
  });
}

/** A graph, and the graphs of its nodes. */
const graphsIn = (graph: GraphProto): readonly GraphProto[] => [
  graph,
  ...graph.nodes.flatMap(({ attributes }) =>
    [...attributes.values()].flatMap((attribute) =>
      attribute.kind === "graph" ? graphsIn(attribute.value) : [],
    ),
  ),
];

/** All nodes, each with its place in its graph. */
const nodesOf = (graph: GraphProto) => graphsIn(graph).flatMap(({ nodes }) => [...nodes.entries()]);

const namesIn = (graphs: readonly GraphProto[]) =>
  new FreshNames(
    graphs.flatMap(({ inputs, initializers, nodes }) => [
      ...[...inputs, ...initializers, ...nodes].map(({ name }) => name),
      ...nodes.flatMap(({ outputs }) => outputs),
    ]),
  );

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

/** Operators that are missing, by domain and version, and their nodes. */
function* missingIn(model: ModelProto, isOperator: IsOperator, opset: number): Generator<[string, string]> {
  const versions = versionsOf(model);
  for (const [i, node] of nodesOf(model.graph)) {
    if (isOperator(node)) continue;
    const { opType, domain } = node;
    const version = isOnnx(domain) ? opset : (versions.get(domain) ?? "unknown");
    const operator = `${told(operatorOf(node))} (domain "${told(domain || "ai.onnx")}", opset ${version})`;
    yield [`${operator} in`, told(node.name || `${opType}_${i}`)];
  }
}

/** Throws where the model's opset does not have an operator yet; one of the caller's own may mean what it does not. */
function rejectLater(model: ModelProto, own: Conversions, opset: number, where: string): void {
  for (const [i, { opType, domain, name, opset: version = opset }] of nodesOf(model.graph)) {
    const first = firstOpset(opType);
    if (first <= version || !isOnnx(domain) || Object.hasOwn(own, opType)) continue;
    throw new OctetteError(`the model's opset does not have ${opType}`, {
      code: "graph",
      where: `${where}, ${opType} "${told(name || `${opType}_${i}`)}"`,
      expected: `opset ${first} or later`,
      got: `opset ${version}`,
      hint: `Export it for opset ${first}, or convert it: in Python, onnx.version_converter.convert_version(model, ${first})`,
    });
  }
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
