// Cast: the same numbers in another dtype. Folded, or removed where the dtype stays: a dtype is decided when a model is
// planned. A dimension over symbols can only stay an integer.

import { countOf, type Dim } from "../graph/symbols";
import { allocate, bytesPerElement, type DType } from "../graph/tensor";
import { emitCopy } from "./copy";
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
  attributes: ["to"],
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
  rows: true,
  /** The low bytes. */
  lower({ node, inputs, outputs }, c) {
    const [from, to] = [c.type(inputs[0]!), c.type(outputs[0]!)];
    if (from.dtype !== "i32" || to.dtype !== "u8")
      throw opError(node, "only a cast of i32 to u8 has a kernel", {
        got: `${from.dtype} to ${to.dtype}`,
        hint: "A type is decided when a model is planned: leave the cast out",
      });
    const loop = { extent: countOf(to.shape), y: 1, x: bytesPerElement.i32 };
    emitCopy(node, c, "u8", c.output(outputs[0]!), c.input(inputs[0]!), [loop]);
  },
};
