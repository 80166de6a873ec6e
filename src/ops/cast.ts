// Cast: the same numbers in another dtype. Only folded, or removed where the dtype stays: a dtype is decided when a
// model is planned. A dimension over symbols can only stay an integer.

import type { Dim } from "../graph/symbols";
import { allocate, bytesPerElement, type DType } from "../graph/tensor";
import { inputType, type Op, opError, stringOf } from "./op";

const I32_MIN = -0x80000000;
const I32_MAX = 0x7fffffff;

/** Fractions are cut off; integers too wide for u8 and i8 keep their low bits, those too wide for i32 saturate. */
function castNumber(value: Dim, to: DType): Dim | undefined {
  if (typeof value === "string") return to === "i32" ? value : undefined;
  if (to === "f32") return Math.fround(value);
  if (to === "bool") return value === 0 ? 0 : 1;
  const integer = Math.trunc(Math.min(I32_MAX, Math.max(I32_MIN, value))) || 0;
  if (to === "i32") return integer;
  return to === "u8" ? integer & 255 : (integer << 24) >> 24;
}

function dtypeOf(node: Parameters<Op["infer"]>[0]): DType {
  const to = stringOf(node, "to", "");
  if (!Object.hasOwn(bytesPerElement, to))
    throw opError(node, "attribute to does not fit", {
      expected: Object.keys(bytesPerElement).join(", "),
      got: to,
    });
  return to as DType;
}

export const cast: Op = {
  infer: (node, inputs) => [{ dtype: dtypeOf(node), shape: inputType(node, inputs, 0).shape }],
  evaluate(node, [x]) {
    if (!x) return undefined;
    const dtype = dtypeOf(node);
    if (dtype === x.dtype) return [x];
    const values = Array.from(x.data, (value) => castNumber(value, dtype));
    if (values.includes(undefined)) return undefined;
    const data = values as Dim[];
    if (data.some((value) => typeof value === "string")) return [{ dtype, shape: x.shape, data }];
    const numbers = allocate(dtype, data.length);
    numbers.set(data as number[]);
    return [{ dtype, shape: x.shape, data: numbers }];
  },
};
