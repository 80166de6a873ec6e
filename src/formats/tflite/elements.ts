// Constants of a TensorFlow Lite file as tensors.

import { FormatError, OctetteError } from "../../errors";
import { type DType, sizeOf, type Tensor } from "../../graph/tensor";
import { decodeElements, type ElementKind, elementKinds } from "../elements";
import type { TfliteTensor } from "./schema";

/** Elements by the numbers of enum TensorType; undefined for what octette has no numbers for. */
const KINDS: readonly (ElementKind | undefined)[] = [
  "f32",
  "f16",
  "i32",
  "u8",
  "i64",
  undefined,
  "bool",
  "i16",
  undefined,
  "i8",
  "f64",
  undefined,
  "u64",
  undefined,
  undefined,
  "u32",
  "u16",
  "i4",
];
const NAMES: Readonly<Record<number, string>> = {
  5: "STRING",
  8: "COMPLEX64",
  11: "COMPLEX128",
  13: "RESOURCE",
  14: "VARIANT",
  18: "BFLOAT16",
  19: "INT2",
  20: "UINT4",
};

/** How a file stores elements of a tensor, undefined where that is no kind of number octette has. */
export const kindOf = ({ type }: TfliteTensor): ElementKind | undefined => KINDS[type];

/** The kind of elements in errors. */
export const typeName = ({ type }: TfliteTensor): string => KINDS[type] ?? NAMES[type] ?? `type ${type}`;

/** The dtype that elements of a tensor become. */
export function elementTypeOf(tensor: TfliteTensor, where: string): DType {
  const kind = kindOf(tensor);
  if (kind) return elementKinds[kind].dtype;
  throw new OctetteError("its elements have a type octette does not have", {
    code: "unsupported",
    where: `${where}, tensor "${tensor.name}"`,
    got: typeName(tensor),
  });
}

/** The elements of a constant as the file stores them: codes of what is quantized. */
export function constantOf(tensor: TfliteTensor, where: string): Tensor {
  const here = `${where}, tensor "${tensor.name}"`;
  const { shape, data } = tensor;
  const dtype = elementTypeOf(tensor, where);
  if (tensor.isSparse)
    throw new OctetteError("a sparse tensor", {
      code: "unsupported",
      where: here,
      expected: "dense weights",
      hint: "Convert the model without sparsity",
    });
  if (!data || shape.includes(-1))
    throw new FormatError("a constant without elements or of an open shape", {
      where: here,
      got: `[${shape.join(", ")}]`,
    });
  const kind = kindOf(tensor)!;
  const bytes = Math.ceil(sizeOf(shape) * elementKinds[kind].bytes);
  if (data.length !== bytes)
    throw new FormatError("its bytes do not fill its shape", {
      where: here,
      expected: `${bytes} for [${shape.join(", ")}]`,
      got: `${data.length}`,
    });
  if (kind === "i4" && sizeOf(shape) % 2 === 1) {
    const even = decodeElements(kind, data);
    return { dtype, shape, data: even.data.subarray(0, sizeOf(shape)) };
  }
  const { data: elements, saturated } = decodeElements(kind, data);
  if (saturated >= 0)
    throw new OctetteError("a number does not fit 32 bits", {
      code: "unsupported",
      where: here,
      got: `element ${saturated}`,
    });
  return { dtype, shape, data: elements };
}

/** Refuses scales that are none, zero points beside the codes, and numbers of them that fit neither a tensor nor an axis of a constant. */
export function checkQuantization(
  tensor: TfliteTensor,
  [lo, hi]: readonly [number, number],
  where: string,
): void {
  const { scale, zeroPoint, axis } = tensor.quantization!;
  const fail = (what: string, expected: string, got: string) =>
    new OctetteError(what, {
      code: "graph",
      where: `${where}, tensor "${tensor.name}"`,
      expected,
      got,
    });
  // Of one channel whose weights are all 0, converters write a scale of 0.
  const isScale = (s: number) => (s > 0 || (s === 0 && scale.length > 1)) && s < Infinity;
  if (!scale.every(isScale))
    throw fail("a scale is a positive number", "above 0 and finite", `${scale.find((s) => !isScale(s))}`);
  if (!zeroPoint.every((z) => z >= lo && z <= hi))
    throw fail("a zero point is a code", `${lo} to ${hi}`, `${zeroPoint.find((z) => !(z >= lo && z <= hi))}`);
  const perAxis = tensor.data !== undefined && tensor.shape[axis] === scale.length;
  if (zeroPoint.length !== scale.length || (scale.length > 1 && !perAxis))
    throw fail(
      `${scale.length} scales and ${zeroPoint.length} zero points of ${typeName(tensor)} codes`,
      "one of each, or of a constant one of each along an axis",
      `[${tensor.shape.join(", ")}], axis ${axis}`,
    );
}
