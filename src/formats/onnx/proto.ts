// ONNX's protobuf messages as plain objects: the fields an importer needs, by the field numbers of onnx.proto.
// A subgraph is the one thing that can contain itself: MAX_DEPTH of them.
// Tensors stay undecoded bytes of the file until toTensor (tensor-proto.ts) is called on one. One reader a message: the file is as long as
// the format has messages.

import { OctetteError } from "../../errors";
import { checkBodies } from "../../graph/bodies";
import type { Tensor } from "../../graph/tensor";
import { MAX_RANK } from "../checks";
import { hintOf } from "./foreign";
import { WireReader } from "./wire";

export { dataTypeName, dtypeOf, INT64, kindOf, type StoredKind, toTensor } from "./tensor-proto";

/** Protobuf's own limit on a message. */
export const MAX_MODEL_BYTES = 2 ** 31 - 1;

export interface ModelProto {
  readonly irVersion: number;
  readonly producerName: string;
  readonly producerVersion: string;
  readonly opsetImport: readonly OperatorSetId[];
  readonly graph: GraphProto;
  /** Functions of the model's own. */
  readonly functions: readonly FunctionProto[];
  readonly metadata: ReadonlyMap<string, string>;
}

export interface OperatorSetId {
  /** "" is ONNX itself, which some exporters write as "ai.onnx". */
  readonly domain: string;
  readonly version: number;
}

export interface FunctionProto {
  readonly name: string;
  readonly domain: string;
  readonly overload: string;
  readonly inputs: readonly string[];
  readonly outputs: readonly string[];
  /** Attributes that a call may leave out. */
  readonly attributes: NodeProto["attributes"];
  readonly nodes: readonly NodeProto[];
  readonly opsets: readonly OperatorSetId[];
}

export interface GraphProto {
  readonly name: string;
  readonly nodes: readonly NodeProto[];
  readonly initializers: readonly TensorProto[];
  /** Before IR version 4 these include the initializers. */
  readonly inputs: readonly ValueInfoProto[];
  readonly outputs: readonly ValueInfoProto[];
  readonly valueInfo: readonly ValueInfoProto[];
}

export interface NodeProto {
  /** May be "". */
  readonly name: string;
  readonly opType: string;
  readonly domain: string;
  readonly overload: string;
  /** The version of ONNX that it is written in, where that may not be the model's. */
  readonly opset?: number | undefined;
  /** "" where an optional input is left out. */
  readonly inputs: readonly string[];
  readonly outputs: readonly string[];
  readonly attributes: ReadonlyMap<string, AttributeProto>;
}

/** Integers are exact below 2^53 in size; INT64_MAX reads as 2^63. Strings are decoded from UTF-8 leniently. */
export type AttributeProto = { readonly name: string } & (
  | { readonly kind: "float"; readonly value: number }
  | { readonly kind: "int"; readonly value: number }
  | { readonly kind: "string"; readonly value: string }
  | { readonly kind: "tensor"; readonly value: TensorProto }
  | { readonly kind: "floats"; readonly value: readonly number[] }
  | { readonly kind: "ints"; readonly value: readonly number[] }
  | { readonly kind: "strings"; readonly value: readonly string[] }
  | { readonly kind: "tensors"; readonly value: readonly TensorProto[] }
  | { readonly kind: "graph"; readonly value: GraphProto }
  /** A reference to an attribute of the enclosing function, in a function's body. */
  | { readonly kind: "reference"; readonly value: string }
  /** Sparse tensors, type protos and whatever comes later. */
  | { readonly kind: "other"; readonly type: number }
);

export interface TensorProto {
  readonly name: string;
  /** Checked: whole numbers ≥ 0. */
  readonly dims: readonly number[];
  /** TensorProto.DataType; `dataTypeName` names it, `dtypeOf` says what it becomes. */
  readonly dataType: number;
  /** Set when the data lie in another file: keys `location`, `offset`, `length`. */
  readonly external?: ReadonlyMap<string, string>;
  /** What was read from there (external.ts). */
  elements?: Tensor;
  /** The whole message, a view of the file; toTensor decodes its data from here. */
  readonly message: Uint8Array;
  /** Offset of `message` in the file. */
  readonly offset: number;
  /** The file, for errors. */
  readonly where?: string;
}

export interface ValueInfoProto {
  readonly name: string;
  /** TensorProto.DataType, or undefined when the value is not a tensor. */
  readonly elemType?: number;
  /** Undefined when the rank is unknown. A dimension is a size, a symbol's name, or undefined when unknown. */
  readonly shape?: readonly (number | string | undefined)[];
}

/**
 * Reads a model (onnx.proto, ModelProto). `where` is the file's name for errors.
 * @throws FormatError with the byte offset where the bytes are not a model; OctetteError "unsupported" for sparse
 * initializers, "limit" above MAX_MODEL_BYTES.
 */
export function readModel(bytes: Uint8Array, where = "model"): ModelProto {
  checkSize(bytes, where);
  const wire = new WireReader(bytes, where, 0, hintOf(bytes));
  let irVersion = 0;
  let producerName = "";
  let producerVersion = "";
  let graph: GraphProto | undefined;
  const opsetImport: OperatorSetId[] = [];
  const functions: FunctionProto[] = [];
  const metadata = new Map<string, string>();
  wire.fields((field) => {
    if (field === 1) irVersion = wire.integer();
    else if (field === 2) producerName = wire.string();
    else if (field === 3) producerVersion = wire.string();
    else if (field === 7) {
      if (graph) wire.fail("a model has two graphs");
      graph = readGraph(wire);
    } else if (field === 8) opsetImport.push(readOpset(wire));
    else if (field === 14) readEntry(wire, metadata);
    else if (field === 25) functions.push(readFunction(wire));
  });
  if (!graph) return wire.fail("no graph in it");
  return { irVersion, producerName, producerVersion, opsetImport, graph, functions, metadata };
}

/**
 * Reads a file that holds one TensorProto, such as the `.pb` files of ONNX's conformance tests.
 * @throws FormatError as readModel does.
 */
export function readTensorProto(bytes: Uint8Array, where = "tensor"): TensorProto {
  checkSize(bytes, where);
  return readTensor(bytes, 0, where);
}

function checkSize(bytes: Uint8Array, where: string): void {
  if (bytes.length > MAX_MODEL_BYTES)
    throw new OctetteError("too large", {
      code: "limit",
      where,
      expected: `at most MAX_MODEL_BYTES = ${MAX_MODEL_BYTES} bytes`,
      got: `${bytes.length}`,
    });
}

function readOpset(wire: WireReader): OperatorSetId {
  let domain = "";
  let version = 0;
  wire.message((field) => {
    if (field === 1) domain = wire.string();
    else if (field === 2) version = wire.integer();
  });
  return { domain, version };
}

function readFunction(wire: WireReader): FunctionProto {
  let name = "";
  let domain = "";
  let overload = "";
  const inputs: string[] = [];
  const outputs: string[] = [];
  const attributes = new Map<string, AttributeProto>();
  const nodes: NodeProto[] = [];
  const opsets: OperatorSetId[] = [];
  wire.message((field) => {
    if (field === 1) name = wire.string();
    else if (field === 4) inputs.push(wire.string());
    else if (field === 5) outputs.push(wire.string());
    else if (field === 7) nodes.push(readNode(wire, 0));
    else if (field === 9) opsets.push(readOpset(wire));
    else if (field === 10) domain = wire.string();
    else if (field === 11) addAttribute(wire, attributes, 0);
    else if (field === 13) overload = wire.string();
  });
  return { name, domain, overload, inputs, outputs, attributes, nodes, opsets };
}

/** StringStringEntryProto. */
function readEntry(wire: WireReader, into: Map<string, string>): void {
  let key = "";
  let value = "";
  wire.message((field) => {
    if (field === 1) key = wire.string();
    else if (field === 2) value = wire.string();
  });
  into.set(key, value);
}

function readGraph(wire: WireReader, depth = 0): GraphProto {
  checkBodies(depth, wire.where);
  let name = "";
  const nodes: NodeProto[] = [];
  const initializers: TensorProto[] = [];
  const inputs: ValueInfoProto[] = [];
  const outputs: ValueInfoProto[] = [];
  const valueInfo: ValueInfoProto[] = [];
  wire.message((field) => {
    if (field === 1) nodes.push(readNode(wire, depth));
    else if (field === 2) name = wire.string();
    else if (field === 5) initializers.push(nestedTensor(wire));
    else if (field === 11) inputs.push(readValueInfo(wire));
    else if (field === 12) outputs.push(readValueInfo(wire));
    else if (field === 13) valueInfo.push(readValueInfo(wire));
    else if (field === 15)
      throw new OctetteError("sparse initializers are not read", {
        code: "unsupported",
        where: `${wire.where} at byte ${wire.offset}`,
        hint: "Export the model with dense weights.",
      });
  });
  return { name, nodes, initializers, inputs, outputs, valueInfo };
}

function readNode(wire: WireReader, depth: number): NodeProto {
  let name = "";
  let opType = "";
  let domain = "";
  let overload = "";
  const inputs: string[] = [];
  const outputs: string[] = [];
  const attributes = new Map<string, AttributeProto>();
  wire.message((field) => {
    if (field === 1) inputs.push(wire.string());
    else if (field === 2) outputs.push(wire.string());
    else if (field === 3) name = wire.string();
    else if (field === 4) opType = wire.string();
    else if (field === 5) addAttribute(wire, attributes, depth);
    else if (field === 7) domain = wire.string();
    else if (field === 8) overload = wire.string();
  });
  return { name, opType, domain, overload, inputs, outputs, attributes };
}

function addAttribute(wire: WireReader, into: Map<string, AttributeProto>, depth: number): void {
  const attribute = readAttribute(wire, depth);
  into.set(attribute.name, attribute);
}

/** AttributeProto.AttributeType → kind. */
const attributeKinds = [
  undefined,
  "float",
  "int",
  "string",
  "tensor",
  "graph",
  "floats",
  "ints",
  "strings",
  "tensors",
] as const;
/** Field that holds the value → AttributeType, for files of before IR version 2, which leave the type out. */
const typeOfField = new Map([2, 3, 4, 5, 6, 7, 8, 9, 10, 11].map((field, i) => [field, i + 1]));

function readAttribute(wire: WireReader, depth: number): AttributeProto {
  const at = wire.offset;
  let name = "";
  let type = 0;
  let inferred = 0;
  let reference = "";
  let number = 0;
  let int = 0;
  let string = "";
  const numbers: number[] = [];
  const ints: number[] = [];
  const strings: string[] = [];
  const tensors: TensorProto[] = [];
  let tensor: TensorProto | undefined;
  let graph: GraphProto | undefined;
  wire.message((field) => {
    inferred = typeOfField.get(field) ?? inferred;
    if (field === 1) name = wire.string();
    else if (field === 2) number = wire.float();
    else if (field === 3) int = wire.integer();
    else if (field === 4) string = wire.string("bytes");
    else if (field === 5) tensor = nestedTensor(wire);
    else if (field === 6) graph = readGraph(wire, depth + 1);
    else if (field === 7)
      wire.numbers("float", (value) => {
        wire.keep();
        numbers.push(value);
      });
    else if (field === 8)
      wire.numbers("int", (value) => {
        wire.keep();
        ints.push(value);
      });
    else if (field === 9) strings.push(wire.string("bytes"));
    else if (field === 10) tensors.push(nestedTensor(wire));
    else if (field === 20) type = wire.integer();
    else if (field === 21) reference = wire.string();
  });
  if (reference !== "") return { name, kind: "reference", value: reference };
  const kind = attributeKinds[type || inferred];
  switch (kind) {
    case "float":
      return { name, kind, value: number };
    case "int":
      return { name, kind, value: int };
    case "string":
      return { name, kind, value: string };
    case "tensor":
      return {
        name,
        kind,
        value: tensor ?? wire.fail(`attribute "${name}" says it is a tensor but has none`, {}, at),
      };
    case "floats":
      return { name, kind, value: numbers };
    case "ints":
      return { name, kind, value: ints };
    case "strings":
      return { name, kind, value: strings };
    case "tensors":
      return { name, kind, value: tensors };
    case "graph":
      return {
        name,
        kind,
        value: graph ?? wire.fail(`attribute "${name}" says it is a graph but has none`, {}, at),
      };
    default:
      return { name, kind: "other", type };
  }
}

function nestedTensor(wire: WireReader): TensorProto {
  wire.keep();
  const message = wire.bytes();
  return readTensor(message, wire.offset - message.length, wire.where);
}

function readTensor(message: Uint8Array, offset: number, where: string | undefined): TensorProto {
  const wire = new WireReader(message, where, offset);
  let name = "";
  let dataType = 0;
  let isExternal = false;
  const dims: number[] = [];
  const external = new Map<string, string>();
  wire.fields((field) => {
    if (field === 1)
      wire.numbers("int", (dim) => {
        if (dims.push(dim) > MAX_RANK)
          wire.fail("a tensor has too many dimensions", { expected: `at most MAX_RANK = ${MAX_RANK}` });
        if (!Number.isSafeInteger(dim) || dim < 0)
          wire.fail("a tensor has an impossible dimension", { expected: "0 to 2^53 − 1", got: `${dim}` });
      });
    else if (field === 2) dataType = wire.integer();
    else if (field === 8) name = wire.string();
    else if (field === 13) readEntry(wire, external);
    else if (field === 14) isExternal = wire.integer() === 1;
  });
  return {
    name,
    dims,
    dataType,
    ...(isExternal ? { external } : {}),
    message,
    offset,
    ...(where === undefined ? {} : { where }),
  };
}

function readValueInfo(wire: WireReader): ValueInfoProto {
  let name = "";
  let elemType: number | undefined;
  let shape: (number | string | undefined)[] | undefined;
  const readDim = () => {
    let dim: number | string | undefined;
    wire.message((field) => {
      // Some exporters write −1 or "" for a dimension they do not know.
      if (field === 1) dim = (dim = wire.integer()) < 0 ? undefined : dim;
      else if (field === 2) dim = wire.string() || undefined;
    });
    return dim;
  };
  const readTensorType = () => {
    elemType = 0;
    wire.message((field) => {
      if (field === 1) elemType = wire.integer();
      else if (field === 2) {
        const dims: (number | string | undefined)[] = [];
        shape = dims;
        wire.message((inner) => {
          if (inner === 1 && dims.push(readDim()) > MAX_RANK)
            wire.fail("a value has too many dimensions", { expected: `at most MAX_RANK = ${MAX_RANK}` });
        });
      }
    });
  };
  wire.message((field) => {
    if (field === 1) name = wire.string();
    else if (field === 2)
      wire.message((inner) => {
        if (inner === 1) readTensorType();
      });
  });
  return { name, ...(elemType === undefined ? {} : { elemType }), ...(shape === undefined ? {} : { shape }) };
}

/** All tensors of a model whose elements lie in other files. */
export const externalTensors = ({ graph, functions }: ModelProto): readonly TensorProto[] =>
  [...tensorsIn(graph), ...functions.flatMap(tensorsIn)].filter(({ external }) => external !== undefined);

function tensorsIn(
  of: Pick<GraphProto, "nodes"> & Partial<Pick<GraphProto, "initializers">>,
): readonly TensorProto[] {
  const { initializers = [], nodes } = of;
  const attributes = nodes.flatMap((node) => [...node.attributes.values()]);
  const inNodes = attributes.flatMap((attribute) => {
    if (attribute.kind === "graph") return tensorsIn(attribute.value);
    return attribute.kind === "tensor"
      ? [attribute.value]
      : attribute.kind === "tensors"
        ? attribute.value
        : [];
  });
  return [...initializers, ...inNodes];
}
