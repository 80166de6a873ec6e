// Safetensors of any dtype, such as those of Hugging Face: their elements become those of a Tensor.

import { FormatError, OctetteError } from "../errors";
import { type DType, sizeOf, type Tensor, type TypedArray } from "../graph/tensor";
import { decodeElements, type ElementKind, elementKinds } from "./elements";
import { checkBytes, isOwn, readOwnTensor } from "./own-tensors";
import { checkLength, readHeader, type SafetensorsEntry, type SafetensorsHeader } from "./safetensors-header";

/** What octette has numbers for. */
const kinds = new Map<string, ElementKind>([
  ["F64", "f64"],
  ["F32", "f32"],
  ["F16", "f16"],
  ["BF16", "bf16"],
  ["I64", "i64"],
  ["U64", "u64"],
  ["I32", "i32"],
  ["U32", "u32"],
  ["I16", "i16"],
  ["U16", "u16"],
  ["I8", "i8"],
  ["I4", "i4"], // U8 in the file, see int4.ts
  ["U8", "u8"],
  ["BOOL", "bool"],
]);
/** Sizes of what it has none for, so that the header of a file that holds some can still be read. */
const otherSizes = new Map([
  ["F8_E4M3", 1],
  ["F8_E5M2", 1],
  ["F8_E8M0", 1],
  ["C64", 8],
]);
const sizes = /* @__PURE__ */ Object.fromEntries([
  ...[...kinds].map(([name, kind]) => [name, elementKinds[kind].bytes] as const),
  ...otherSizes,
]);

/** As readHeader, of files with any dtype. */
export const readSafetensorsHeader = (bytes: Uint8Array, where = "safetensors"): SafetensorsHeader =>
  readHeader(bytes, where, sizes);

/** The dtype of an entry's elements as octette holds them. Throws an OctetteError "unsupported" where it has none. */
export function dtypeOf({ name, dtype }: SafetensorsEntry, where = "safetensors"): DType {
  return elementKinds[kindOf(name, dtype, where)].dtype;
}

function kindOf(name: string, dtype: string, where: string): ElementKind {
  const kind = kinds.get(dtype);
  if (kind !== undefined) return kind;
  throw new OctetteError("elements that octette has no numbers for", {
    code: "unsupported",
    where: `${where}, tensor "${name}"`,
    expected: [...kinds.keys()].join(", "),
    got: dtype,
  });
}

/**
 * The tensor of an entry from its own bytes. F32, I8, U8, I32 and BOOL at an aligned address are a view of `bytes`,
 * others a copy, `into` what is given for it: F16, BF16 and F64 become f32, integers of other sizes i32.
 * @throws FormatError when `bytes` is not `entry.bytes` long, or an integer does not fit i32; OctetteError
 * "unsupported" for 8-bit floats and complex numbers.
 */
export function readSafetensorsTensor(
  entry: SafetensorsEntry,
  bytes: Uint8Array,
  where = "safetensors",
  into?: TypedArray,
): Tensor {
  if (isOwn(entry)) return readOwnTensor(entry, bytes, where);
  const { name, dtype: stored, shape, offset } = entry;
  const kind = kindOf(name, stored, where);
  checkBytes(entry, bytes, where);
  const { bytes: size, dtype } = elementKinds[kind];
  const { data, saturated } = decodeElements(kind, bytes, true, into);
  if (saturated >= 0)
    throw new FormatError("an integer outside 32 bits", {
      where: `${where}, tensor "${name}"`,
      offset: offset + saturated * size,
      expected: "−2^31 to 2^31 − 1",
      got: `element ${saturated} of ${stored}`,
    });
  return { dtype, shape, data: data.subarray(0, sizeOf(shape)) };
}

/**
 * Reads a whole file; tensors are in the order of their data, views of `bytes` where readSafetensorsTensor can make
 * them so.
 * @throws FormatError when the file breaks a rule of the format or is not exactly as long as its header says.
 */
export function readSafetensors(
  bytes: Uint8Array,
  where = "safetensors",
): { tensors: Map<string, Tensor>; metadata: Record<string, string> } {
  const { entries, metadata, fileBytes } = readSafetensorsHeader(bytes, where);
  checkLength(bytes.length, fileBytes, where);
  const tensors = new Map<string, Tensor>();
  for (const entry of entries)
    tensors.set(
      entry.name,
      readSafetensorsTensor(entry, bytes.subarray(entry.offset, entry.offset + entry.bytes), where),
    );
  return { tensors, metadata };
}
