// ONNX's protobuf messages of plain objects, by the field numbers of onnx.proto: the counterpart of proto.ts.

import type { DType, Tensor } from "../../graph/tensor";
import { bytesIn } from "../../graph/tensor";
import { packedInt4 } from "../int4";
import { WireWriter } from "./write-wire";

/** TensorProto.DataType of what is written. */
export const dataTypes = { f32: 1, u8: 2, i8: 3, i32: 6, i64: 7, bool: 9, i4: 22 } as const;
/** How elements are stored in a file. */
export type WrittenKind = keyof typeof dataTypes;

/** How elements of a dtype are stored: octette's integers are ONNX's int64, which all of its operators take. */
export const kindOfDtype = (dtype: DType): WrittenKind => (dtype === "i32" ? "i64" : dtype);

/** AttributeProto.AttributeType, and the field that holds it. */
const attributeTypes = {
  float: 1,
  int: 2,
  string: 3,
  tensor: 4,
  graph: 5,
  floats: 6,
  ints: 7,
  strings: 8,
} as const;

export type WrittenAttribute =
  | { readonly kind: "float" | "int"; readonly value: number }
  | { readonly kind: "floats" | "ints"; readonly value: readonly number[] }
  | { readonly kind: "string"; readonly value: string }
  | { readonly kind: "strings"; readonly value: readonly string[] }
  | { readonly kind: "tensor"; readonly value: WrittenTensor }
  | { readonly kind: "graph"; readonly value: WrittenGraph };

export interface WrittenTensor {
  readonly kind: WrittenKind;
  readonly tensor: Tensor;
}

export interface WrittenNode {
  readonly name: string;
  readonly op: string;
  /** "" is ONNX's own. */
  readonly domain: string;
  readonly inputs: readonly string[];
  readonly outputs: readonly string[];
  readonly attributes: ReadonlyMap<string, WrittenAttribute>;
}

export interface WrittenValue {
  readonly name: string;
  readonly kind: WrittenKind;
  /** A size, or the name of one that only a run knows; "" where it has none. */
  readonly shape: readonly (number | string)[];
}

/** A function of the model: an operator that is written with others. */
export interface WrittenFunction {
  readonly domain: string;
  readonly name: string;
  readonly inputs: readonly string[];
  readonly outputs: readonly string[];
  readonly nodes: readonly WrittenNode[];
}

export interface WrittenGraph {
  readonly name: string;
  readonly nodes: readonly WrittenNode[];
  readonly inputs: readonly WrittenValue[];
  readonly outputs: readonly WrittenValue[];
}

export interface WrittenModel {
  readonly irVersion: number;
  readonly producer: string;
  readonly opset: number;
  /** Domains of operators beside ONNX's own. */
  readonly domains: Iterable<string>;
  readonly graph: WrittenGraph;
  /** Constants of the graph and of graphs within it. */
  readonly initializers: ReadonlyMap<string, WrittenTensor>;
  readonly functions: Iterable<WrittenFunction>;
  readonly metadata: ReadonlyMap<string, string>;
}

/** The bytes of a model. */
export function modelBytes(model: WrittenModel): Uint8Array<ArrayBuffer> {
  const wire = new WireWriter();
  wire.integer(1, model.irVersion);
  wire.string(2, model.producer);
  wire.message(7, (to) => writeGraph(to, model.graph, model.initializers));
  wire.message(8, (to) => writeOpset(to, "", model.opset));
  for (const domain of model.domains) wire.message(8, (to) => writeOpset(to, domain, 1));
  for (const entry of model.metadata) wire.message(14, (to) => writeEntry(to, entry));
  for (const own of model.functions) wire.message(25, (to) => writeFunction(to, own, model.opset));
  return wire.finish();
}

function writeGraph(
  wire: WireWriter,
  { name, nodes, inputs, outputs }: WrittenGraph,
  initializers: WrittenModel["initializers"] = new Map(),
): void {
  for (const node of nodes) wire.message(1, (to) => writeNode(to, node));
  wire.string(2, name);
  for (const [name, own] of initializers) wire.message(5, (to) => writeTensor(to, name, own));
  for (const value of inputs) wire.message(11, (to) => writeValue(to, value));
  for (const value of outputs) wire.message(12, (to) => writeValue(to, value));
}

function writeOpset(wire: WireWriter, domain: string, version: number): void {
  wire.string(1, domain);
  wire.integer(2, version);
}

function writeEntry(wire: WireWriter, [key, value]: readonly [string, string]): void {
  wire.string(1, key);
  wire.string(2, value);
}

function writeFunction(wire: WireWriter, own: WrittenFunction, opset: number): void {
  wire.string(1, own.name);
  for (const input of own.inputs) wire.string(4, input);
  for (const output of own.outputs) wire.string(5, output);
  for (const node of own.nodes) wire.message(7, (to) => writeNode(to, node));
  wire.message(9, (to) => writeOpset(to, "", opset));
  wire.string(10, own.domain);
}

function writeNode(wire: WireWriter, node: WrittenNode): void {
  for (const input of node.inputs) wire.string(1, input);
  for (const output of node.outputs) wire.string(2, output);
  wire.string(3, node.name);
  wire.string(4, node.op);
  for (const attribute of node.attributes) wire.message(5, (to) => writeAttribute(to, attribute));
  if (node.domain !== "") wire.string(7, node.domain);
}

function writeAttribute(
  wire: WireWriter,
  [name, attribute]: readonly [name: string, attribute: WrittenAttribute],
): void {
  wire.string(1, name);
  switch (attribute.kind) {
    case "float":
      wire.float(2, attribute.value);
      break;
    case "int":
      wire.integer(3, attribute.value);
      break;
    case "string":
      wire.string(4, attribute.value);
      break;
    case "tensor":
      wire.message(5, (to) => writeTensor(to, "", attribute.value));
      break;
    case "graph":
      wire.message(6, (to) => writeGraph(to, attribute.value));
      break;
    case "floats":
      wire.floats(7, attribute.value);
      break;
    case "ints":
      wire.integers(8, attribute.value);
      break;
    case "strings":
      for (const text of attribute.value) wire.string(9, text);
  }
  wire.integer(20, attributeTypes[attribute.kind]);
}

function writeTensor(wire: WireWriter, name: string, { kind, tensor }: WrittenTensor): void {
  wire.integers(1, tensor.shape);
  wire.integer(2, dataTypes[kind]);
  if (name !== "") wire.string(8, name);
  wire.bytes(9, rawData(kind, tensor));
}

/** Elements as a file has them: little-endian, codes of 4 bits two to a byte. */
function rawData(kind: WrittenKind, tensor: Tensor): Uint8Array {
  if (kind === "i4") return bytesIn(packedInt4(tensor).data);
  if (kind !== "i64") return bytesIn(tensor.data);
  const wide = new Int32Array(2 * tensor.data.length);
  tensor.data.forEach((value, i) => {
    wide[2 * i] = value;
    wide[2 * i + 1] = value < 0 ? -1 : 0;
  });
  return bytesIn(wide);
}

function writeValue(wire: WireWriter, { name, kind, shape }: WrittenValue): void {
  wire.string(1, name);
  wire.message(2, (type) =>
    type.message(1, (tensor) => {
      tensor.integer(1, dataTypes[kind]);
      tensor.message(2, (dims) => {
        for (const dim of shape)
          dims.message(1, (to) => {
            if (typeof dim === "number") to.integer(1, dim);
            else if (dim !== "") to.string(2, dim);
          });
      });
    }),
  );
}
