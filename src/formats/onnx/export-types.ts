// The way back of operators that name a type or hold a tensor.

import type { DType } from "../../graph/tensor";
import { tensor } from "../../graph/tensor";
import { partial } from "./convert-types";
import type { Way } from "./target";
import { unwritten, writeSame } from "./ways";
import { dataTypes, kindOfDtype } from "./write-proto";

/** TensorProto.DataType of integers that are held in wider ones. */
const partialTypes: Readonly<Record<string, number>> = { u16: 4, i16: 5, u32: 12, u64: 13, u4: 21, i4: 22 };

/** To a type; to integers that are held in a wider type through these. */
export const cast: Way = (node, target) => {
  const { to } = node.attributes;
  const { dtype } = target.type(node.outputs[0]!);
  const wide = { to: dataTypes[kindOfDtype(dtype)] };
  if (!partial.has(to)) return writeSame(node, target, { attributes: wide });
  const inputs = node.inputs.map((value) => target.operand(value));
  const narrow = target.add("Cast", inputs, { attributes: { to: partialTypes[`${to}`]! } });
  target.write(node, "Cast", [narrow], wide);
};

/** One element, repeated. */
export const constantOfShape: Way = (node, target) => {
  const { dtype } = target.type(node.outputs[0]!);
  const element = tensor(dtype, [1], [Number(node.attributes.value ?? 0)]);
  const value = { kind: "tensor", value: { kind: kindOfDtype(dtype), tensor: element } } as const;
  const { shape } = node.attributes;
  const dims = Array.isArray(shape) ? target.sizes.dims(shape) : target.operand(node.inputs[0]!);
  target.write(node, "ConstantOfShape", [dims], { value });
};

export const eyeLike: Way = (node, target) => {
  const { dtype } = target.type(node.outputs[0]!);
  writeSame(node, target, { attributes: { dtype: dataTypes[kindOfDtype(dtype)] } });
};

/** Bits of integers are those of int32. */
export const bitCast: Way = (node, target) => {
  target.needs(26);
  const [x = ""] = node.inputs;
  const to = node.attributes.to as Exclude<DType, "bool">;
  const isWide = target.type(x).dtype === "i32";
  const own = target.constant(x) ? target.operand(x, isWide ? "i32" : undefined) : x;
  const bits =
    isWide && !target.constant(x) ? target.add("Cast", [x], { attributes: { to: dataTypes.i32 } }) : own;
  if (to !== "i32") return target.write(node, "BitCast", [bits], { to: dataTypes[to] });
  const made = target.add("BitCast", [bits], { attributes: { to: dataTypes.i32 } });
  target.write(node, "Cast", [made], { to: dataTypes.i64 });
};

/** ONNX shifts unsigned integers, of which octette has bytes. */
export const bitShift: Way = (node, target) => {
  if (target.type(node.outputs[0]!).dtype === "u8") return writeSame(node, target);
  throw unwritten(node, "it shifts integers with a sign", "unsigned bytes");
};
