// Cast: the same numbers in another dtype. Folded where they are known, removed where the dtype stays. A dimension over symbols
// can only stay an integer. Integers that a file has narrower or wider than octette's
// dtypes are held in one that has room: attribute `to` then names what they are in the file, such as i16.

import { BOOL } from "../../../assembly/elementwise/types";
import { countOf, type Dim } from "../../graph/symbols";
import { allocate, bytesPerElement, type DType } from "../../graph/tensor";
import { asInput } from "../layout";
import { inputType, type Op, opError, stringOf, type Traits } from "../op";
import { emitBroadcast, type Kernel, scalar, typeOf } from "./pairwise";

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
  // Beyond i32 bytes are those of the nearest number it has.
  const whole =
    bits > 16 ? Math.trunc(value) : Math.min(Math.max(Math.trunc(value), -(2 ** 31)), 2 ** 31 - 1);
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
  rows: true,
  layout: asInput,
  lower(unit, c) {
    const { node, inputs, outputs } = unit;
    const [x, y] = [inputs[0]!, outputs[0]!];
    const [from, to] = [c.type(x).dtype, c.type(y).dtype];
    const kind = stringOf(node, "to", "");
    if (from === "f32" && to !== "f32" && to !== "bool" && c.constant(x))
      throw opError(node, `it is of numbers that ${kind} does not hold`, {
        expected: "numbers within 32 bits",
      });
    const isUnsigned = from === "u8" || from === "bool";
    if ((kind === "u32" || kind === "u64") && !isUnsigned)
      throw opError(node, "integers below 0 would be beyond i32", {
        expected: "u8 or bool",
        got: `${from} to ${kind}`,
        hint: "Cast to int64",
      });
    const result = {
      ...c.type(y),
      at: c.output(y, bytesPerElement[from] === bytesPerElement[to] ? x : undefined),
    };
    const count = countOf(result.shape);
    c.emit("cast", [result.at, c.input(x), typeOf[from], to === "bool" ? BOOL : typeOf[to]], count);
    const [bits = 0, , isSigned] = isWholeType(kind) ? [] : integers[kind]!;
    if (bits > 16 || bits === 0) return;
    /** Only the low bits: of a signed type ((v and mask) xor half) − half. */
    const step = (kernel: Kernel, value: number) =>
      emitBroadcast(node, c, kernel, to, result, [result, scalar(c, to, value)], c.layout(y));
    step("bitAnd", 2 ** bits - 1);
    if (!isSigned) return;
    step("bitXor", 2 ** (bits - 1));
    step("broadcastSub", 2 ** (bits - 1));
  },
};

export const castTraits: Traits = {
  codes: "none",
  homogeneous: undefined,
  trained: undefined,
  gradient: "none",
  idle: ({ attributes }, x) => x.dtype === attributes.to,
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
};
