// Cast: the same numbers in another dtype. Folded, or removed where the dtype stays: a dtype is decided when a model is
// planned. A dimension over symbols can only stay an integer. Integers that a file has narrower or wider than octette's
// dtypes are held in one that has room: attribute `to` then names what they are in the file, such as i16.

import { countOf, type Dim } from "../../graph/symbols";
import { allocate, bytesPerElement, type DType } from "../../graph/tensor";
import { emitCopy } from "../copy";
import { inputType, type Op, opError, stringOf, type Traits } from "../op";

/** Bits of every integer type, the dtype it is held in, and whether it has a sign. */
const integers: Readonly<Record<string, readonly [bits: number, dtype: DType, isSigned: boolean]>> = {
  i4: [4, "i8", true],
  u4: [4, "u8", false],
  i8: [8, "i8", true],
  u8: [8, "u8", false],
  i16: [16, "i32", true],
  u16: [16, "i32", false],
  i32: [64, "i32", true],
  u32: [32, "i32", false],
  u64: [64, "i32", false],
};

/** Whether the elements of a cast to this type are all that its dtype can hold. */
export const isWholeType = (to: string): boolean => Object.hasOwn(bytesPerElement, to);

/** Fractions are cut off, and integers keep their low bits. Undefined where there is no such number, or none in i32. */
function castNumber(value: Dim, to: string): Dim | undefined {
  if (typeof value === "string") return to === "i32" ? value : undefined;
  if (to === "f32") return Math.fround(value);
  if (to === "bool") return value === 0 ? 0 : 1;
  const [bits, , isSigned] = integers[to]!;
  const whole = Math.trunc(value);
  const size = 2 ** bits;
  const low = bits === 64 && (isSigned || whole >= 0) ? whole : whole - Math.floor(whole / size) * size;
  const integer = isSigned && bits < 64 && low >= size / 2 ? low - size : low;
  return integer === (integer | 0) ? integer | 0 : undefined;
}

function dtypeOf(node: Parameters<Op["infer"]>[0]): DType {
  const to = stringOf(node, "to", "");
  if (isWholeType(to)) return to as DType;
  if (Object.hasOwn(integers, to)) return integers[to]![1];
  throw opError(node, "attribute to does not fit", {
    expected: [...new Set([...Object.keys(bytesPerElement), ...Object.keys(integers)])].join(", "),
    got: to,
  });
}

export const cast: Op = {
  attributes: ["to"],
  infer: (node, inputs) => [{ dtype: dtypeOf(node), shape: inputType(node, inputs, 0).shape }],
  evaluate(node, [x]) {
    if (!x) return undefined;
    const dtype = dtypeOf(node);
    const to = stringOf(node, "to", "");
    if (to === x.dtype) return [x];
    const values = Array.from(x.data, (value) => castNumber(value, to));
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
    if (from.dtype !== "i32" || node.attributes.to !== "u8")
      throw opError(node, "only a cast of i32 to u8 has a kernel", {
        got: `${from.dtype} to ${node.attributes.to}`,
        hint: "A type is decided when a model is planned: leave the cast out",
      });
    const loop = { extent: countOf(to.shape), y: 1, x: bytesPerElement.i32 };
    emitCopy(node, c, "u8", c.output(outputs[0]!), c.input(inputs[0]!), [loop]);
  },
};

export const castTraits: Traits = {
  codes: "none",
  homogeneous: undefined,
  trained: undefined,
  gradient: "none",
  idle: ({ attributes }, x) => x.dtype === attributes.to,
};
