// Writes a graph as an ONNX model, so that others can run what octette runs. But for integer layers the graph's nodes are ONNX's already:
// of our own operators and of attributes that newer opsets take as inputs there are none in the models written here.

import { PbfWriter } from "pbf";
import { unfolded } from "./unfold.js";

const OPSET = 17;
const IR_VERSION = 8;
/** TensorProto.DataType */
const dataTypes = { f32: 1, u8: 2, i8: 3, i32: 6 };

const message = (write) => {
  const pbf = new PbfWriter();
  write(pbf);
  return pbf.finish().slice();
};

const tensorProto = (name, { dtype, shape, data }) =>
  message((pbf) => {
    pbf.writePackedVarint(1, shape);
    pbf.writeVarintField(2, dataTypes[dtype]);
    pbf.writeStringField(8, name);
    pbf.writeBytesField(9, new Uint8Array(data.buffer, data.byteOffset, data.byteLength));
  });

/** Whole numbers and lists of them: all that these models' attributes are. */
const attributeProto = (name, value) =>
  message((pbf) => {
    const isList = Array.isArray(value);
    pbf.writeStringField(1, name);
    if (isList) for (const item of value) pbf.writeVarintField(8, item);
    else pbf.writeVarintField(3, value);
    pbf.writeVarintField(20, isList ? 7 : 2);
  });

const nodeProto = ({ op, name, inputs, outputs, attributes }) =>
  message((pbf) => {
    for (const input of inputs) pbf.writeStringField(1, input);
    for (const output of outputs) pbf.writeStringField(2, output);
    pbf.writeStringField(3, name);
    pbf.writeStringField(4, op);
    for (const [key, value] of Object.entries(attributes)) pbf.writeBytesField(5, attributeProto(key, value));
  });

const shapeProto = (shape) =>
  message((pbf) => {
    for (const dim of shape)
      pbf.writeBytesField(
        1,
        message((inner) => inner.writeVarintField(1, dim)),
      );
  });

const valueProto = ({ name, dtype, shape }) =>
  message((pbf) => {
    const type = message((inner) => {
      inner.writeVarintField(1, dataTypes[dtype]);
      inner.writeBytesField(2, shapeProto(shape));
    });
    pbf.writeStringField(1, name);
    pbf.writeBytesField(
      2,
      message((inner) => inner.writeBytesField(1, type)),
    );
  });

/** Bytes of a .onnx file. `outputs` are the types of the graph's outputs, as a loaded model tells them. */
export function writeOnnx(held, outputs) {
  const graph = unfolded(held);
  const proto = message((pbf) => {
    for (const node of graph.nodes) pbf.writeBytesField(1, nodeProto(node));
    pbf.writeStringField(2, graph.name);
    for (const [name, tensor] of graph.constants) pbf.writeBytesField(5, tensorProto(name, tensor));
    for (const input of graph.inputs) pbf.writeBytesField(11, valueProto(input));
    for (const output of outputs) pbf.writeBytesField(12, valueProto(output));
  });
  return message((pbf) => {
    pbf.writeVarintField(1, IR_VERSION);
    pbf.writeBytesField(7, proto);
    pbf.writeBytesField(
      8,
      message((id) => id.writeVarintField(2, OPSET)),
    );
  });
}
