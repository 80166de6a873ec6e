// Writes small ONNX models for tests: the fields of onnx.proto that an importer reads, and nothing checked.

import { PbfWriter } from "pbf";
import { firstOpset } from "../../../src/formats/onnx/opsets";
import { bytesIn, type Tensor } from "../../../src/graph/tensor";

/** A tensor of any TensorProto.DataType, its elements as they lie in raw_data. */
export interface RawTensor {
  readonly dataType: number;
  readonly shape: readonly number[];
  readonly bytes: Uint8Array;
}

/** A tensor whose elements lie in another file. */
export interface ExternalTensor {
  readonly dataType: number;
  readonly shape: readonly number[];
  /** location, offset and length as the file has them. */
  readonly external: Readonly<Record<string, string>>;
}

type StoredTensor = Tensor | RawTensor | ExternalTensor;

type Value =
  | number
  | string
  | readonly number[]
  | StoredTensor
  | "graph"
  | { readonly reference: string }
  | { readonly graph: FileGraph }
  | { readonly float: number }
  | { readonly floats: readonly number[] }
  | { readonly ints: readonly number[] }
  | { readonly strings: readonly string[] };

export interface FileNode {
  readonly op: string;
  readonly inputs?: readonly string[];
  readonly outputs?: readonly string[];
  readonly name?: string;
  readonly domain?: string;
  readonly attributes?: Readonly<Record<string, Value>>;
}

export interface FileInput {
  readonly name: string;
  /** Undefined: no shape at all. Null: a dimension without size and name. */
  readonly shape?: readonly (number | string | null)[];
  /** TensorProto.DataType; 0 for a value that is not a tensor. */
  readonly type?: number;
}

export interface FileGraph {
  readonly nodes: readonly FileNode[];
  readonly inputs?: readonly FileInput[];
  readonly outputs?: readonly (string | FileInput)[];
  readonly initializers?: Readonly<Record<string, StoredTensor | "external">>;
}

export interface FileFunction {
  readonly name: string;
  readonly nodes: readonly FileNode[];
  readonly inputs?: readonly string[];
  readonly outputs?: readonly string[];
  /** Attributes that a call may leave out, with their values. */
  readonly attributes?: FileNode["attributes"];
  /** Version of ONNX that it is written in. */
  readonly opset?: number;
}

export interface FileModel extends FileGraph {
  readonly opset?: number;
  readonly domain?: string;
  /** Model-local functions of the domain "local". */
  readonly functions?: readonly FileFunction[];
}

const dataTypes = { f32: 1, u8: 2, i8: 3, i32: 6, bool: 9 } as const;

function message(write: (pbf: PbfWriter) => void): Uint8Array {
  const pbf = new PbfWriter();
  write(pbf);
  return pbf.finish().slice();
}

const tensorBytes = (name: string, tensor: StoredTensor | "external") =>
  message((pbf) => {
    if (tensor === "external") {
      pbf.writePackedVarint(1, [2]);
      pbf.writeVarintField(2, 1);
      pbf.writeStringField(8, name);
      pbf.writeVarintField(14, 1);
      return;
    }
    if ("external" in tensor) {
      pbf.writePackedVarint(1, [...tensor.shape]);
      pbf.writeVarintField(2, tensor.dataType);
      pbf.writeStringField(8, name);
      for (const [key, value] of Object.entries(tensor.external))
        pbf.writeBytesField(
          13,
          message((entry) => {
            entry.writeStringField(1, key);
            entry.writeStringField(2, value);
          }),
        );
      pbf.writeVarintField(14, 1);
      return;
    }
    const raw = "bytes" in tensor;
    pbf.writePackedVarint(1, [...tensor.shape]);
    pbf.writeVarintField(2, raw ? tensor.dataType : dataTypes[tensor.dtype]);
    pbf.writeStringField(8, name);
    pbf.writeBytesField(9, raw ? tensor.bytes : bytesIn(tensor.data));
  });

/** The attribute's type follows from the value: whole numbers are ints, others floats, lists of either likewise. */
const attributeBytes = (name: string, value: Value) =>
  message((pbf) => {
    const type = (code: number) => pbf.writeVarintField(20, code);
    pbf.writeStringField(1, name);
    if (typeof value === "object" && "reference" in value) pbf.writeStringField(21, value.reference);
    else if (value === "graph") {
      type(5);
      pbf.writeBytesField(6, new Uint8Array(0));
    } else if (typeof value === "string") {
      type(3);
      pbf.writeStringField(4, value);
    } else if (typeof value === "number") {
      const isInt = Number.isInteger(value);
      type(isInt ? 2 : 1);
      if (isInt) pbf.writeVarintField(3, value);
      else pbf.writeFloatField(2, value);
    } else if ("graph" in value) {
      type(5);
      pbf.writeBytesField(6, graphBytes(value.graph));
    } else if ("dtype" in value || "bytes" in value || "external" in value) {
      type(4);
      pbf.writeBytesField(5, tensorBytes("", value));
    } else if ("strings" in value) {
      type(8);
      for (const text of value.strings) pbf.writeStringField(9, text);
    } else if ("float" in value) {
      type(1);
      pbf.writeFloatField(2, value.float);
    } else {
      const list = "ints" in value ? value.ints : "floats" in value ? value.floats : value;
      const areInts = "ints" in value || (!("floats" in value) && list.every(Number.isInteger));
      type(areInts ? 7 : 6);
      if (areInts) for (const item of list) pbf.writeVarintField(8, item);
      else pbf.writePackedFloat(7, [...list]);
    }
  });

const nodeBytes = ({ op, inputs = [], outputs = [], name = "", domain = "", attributes = {} }: FileNode) =>
  message((pbf) => {
    for (const input of inputs) pbf.writeStringField(1, input);
    for (const output of outputs) pbf.writeStringField(2, output);
    if (name) pbf.writeStringField(3, name);
    pbf.writeStringField(4, op);
    for (const [key, value] of Object.entries(attributes)) pbf.writeBytesField(5, attributeBytes(key, value));
    if (domain) pbf.writeStringField(7, domain);
  });

const valueBytes = ({ name, shape, type = 1 }: FileInput) =>
  message((pbf) => {
    pbf.writeStringField(1, name);
    const dims = (shape ?? []).map((dim) =>
      message((inner) => {
        if (typeof dim === "number") inner.writeVarintField(1, dim);
        if (typeof dim === "string") inner.writeStringField(2, dim);
      }),
    );
    const tensorType = message((inner) => {
      inner.writeVarintField(1, type);
      if (shape)
        inner.writeBytesField(
          2,
          message((list) => dims.map((dim) => list.writeBytesField(1, dim))),
        );
    });
    // Field 4 of TypeProto is a sequence.
    pbf.writeBytesField(
      2,
      message((inner) => inner.writeBytesField(type === 0 ? 4 : 1, tensorType)),
    );
  });

const graphBytes = ({ nodes, initializers = {}, inputs = [], outputs = [] }: FileGraph) =>
  message((graph) => {
    for (const node of nodes) graph.writeBytesField(1, nodeBytes(node));
    graph.writeStringField(2, "tested");
    for (const [name, tensor] of Object.entries(initializers))
      graph.writeBytesField(5, tensorBytes(name, tensor));
    for (const input of inputs) graph.writeBytesField(11, valueBytes(input));
    for (const output of outputs)
      graph.writeBytesField(
        12,
        valueBytes(typeof output === "string" ? { name: output, shape: [] } : output),
      );
  });

/** Bytes of a model; by default opset 17 or the first that has its operators, one input x [batch, 4], one output y. */
export function onnxFile(model: FileModel): Uint8Array {
  const { domain = "", nodes, initializers = {}, functions = [] } = model;
  const own = nodes.filter((node) => !node.domain).map(({ op }) => firstOpset(op));
  const { opset = Math.max(17, ...own) } = model;
  const { inputs = [{ name: "x", shape: ["batch", 4] }], outputs = ["y"] } = model;
  return message((pbf) => {
    pbf.writeVarintField(1, 8);
    pbf.writeStringField(2, "test");
    pbf.writeBytesField(7, graphBytes({ nodes, initializers, inputs, outputs }));
    pbf.writeBytesField(
      8,
      message((id) => {
        if (domain) id.writeStringField(1, domain);
        id.writeVarintField(2, opset);
      }),
    );
    for (const own of functions) pbf.writeBytesField(25, functionBytes(own, opset));
  });
}

const functionBytes = (own: FileFunction, model: number) =>
  message((pbf) => {
    const { name, nodes, inputs = [], outputs = [], attributes = {}, opset = model } = own;
    pbf.writeStringField(1, name);
    for (const input of inputs) pbf.writeStringField(4, input);
    for (const output of outputs) pbf.writeStringField(5, output);
    for (const node of nodes) pbf.writeBytesField(7, nodeBytes(node));
    pbf.writeBytesField(
      9,
      message((id) => id.writeVarintField(2, opset)),
    );
    pbf.writeStringField(10, "local");
    for (const [key, value] of Object.entries(attributes))
      pbf.writeBytesField(11, attributeBytes(key, value));
  });
