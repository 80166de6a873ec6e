// The way back of ops that ONNX has under another name, in later versions, or written with others.

import { tensor } from "../../graph/tensor";
import type { Way } from "./target";
import { as, type SameOptions, writeSame } from "./ways";

/** Lengths of sequences came later, and windows after them. ONNX Runtime's masks have a row for each query. */
export const attention: Way = (node, target) => {
  const { left_window_size: left, right_window_size: right } = node.attributes;
  const isWindowed = left !== undefined || right !== undefined;
  const hasLengths = (node.inputs[6] ?? "") !== "";
  const rows = target.type(node.inputs[0]!).shape.at(-2)!;
  const inputs = node.inputs.map((value, i) =>
    i === 3 && value && rows !== 1 && target.type(value).shape.at(-2) === 1
      ? target.add("Expand", [target.operand(value), target.sizes.dims([rows, 1])])
      : value,
  );
  writeSame({ ...node, inputs }, target, { opset: isWindowed ? 25 : hasLengths ? 24 : 23 });
};

/** Scale and bias have the shape of what is normalized, where octette takes them as a vector, too. */
const normalization =
  (options: SameOptions): Way =>
  (node, target) => {
    const { shape } = target.type(node.inputs[0]!);
    const row = shape.slice(Number(node.attributes.axis ?? -1));
    const shaped = (value: string) =>
      value === "" || row.length === 1 || target.type(value).shape.length !== 1
        ? value
        : target.add("Reshape", [target.operand(value), target.sizes.dims(row, [row.length])]);
    const [x = "", ...operands] = node.inputs;
    writeSame({ ...node, inputs: [x, ...operands.map(shaped)] }, target, options);
  };

export const layerNormalization = normalization({});
export const rMSNormalization = normalization({ opset: 23 });
/**
 * The exponential of the logarithm between codes: ONNX Runtime's own Softmax there (qlinear_softmax.cc) rounds the number of
 * codes from 0 to 1 down, and its products of 32 bits wrap where codes are fine.
 */
export const softmax: Way = (node, target) => {
  const [x = ""] = node.inputs;
  const makesCodes = target.readersOf(node.outputs[0]!).some(({ op }) => op === "QuantizeLinear");
  if (!makesCodes || target.producerOf(x)?.op !== "DequantizeLinear") {
    writeSame(node, target);
    return;
  }
  const { axis = -1 } = node.attributes;
  const logarithms = target.add("LogSoftmax", [target.operand(x)], { attributes: { axis } });
  target.write(node, "Exp", [logarithms]);
};

export const rotaryEmbedding = as({ opset: 23 });
export const swish = as({ opset: 24 });
export const tensorScatter = as({ opset: 24 });

export const broadcastAdd = as({ op: "Add" });
export const broadcastDiv = as({ op: "Div" });
export const broadcastMul = as({ op: "Mul" });
export const broadcastSub = as({ op: "Sub" });

/** x · sigmoid(x). */
export const silu: Way = (node, target) => {
  const [x = ""] = node.inputs;
  const held = target.operand(x);
  const sigmoid = target.add("Sigmoid", [held]);
  target.write(node, "Mul", [held, sigmoid]);
};

/** How much training drops is nothing to a model that runs. */
export const dropout = as({ attributes: { ratio: undefined } });

/** One scale a group, as before opset 21, becomes one a channel. */
export const groupNormalization: Way = (node, target) => {
  const channels = target.type(node.inputs[0]!).shape[1];
  const repeated = (value: string) => {
    const constant = target.constant(value);
    if (!constant || typeof channels !== "number" || constant.data.length === channels) return value;
    const each = channels / constant.data.length;
    const all = Array.from({ length: channels }, (_, c) => constant.data[Math.floor(c / each)]!);
    const name = target.hold(`${value}_repeated`, tensor("f32", [channels], all));
    return target.define(name, { dtype: "f32", shape: [channels] });
  };
  writeSame({ ...node, inputs: [node.inputs[0]!, ...node.inputs.slice(1).map(repeated)] }, target);
};
