// Safetensors (github.com/huggingface/safetensors, README "Format"): the length of a JSON header, the header, then
// the tensors' bytes without holes. The header can be read alone, so that a loader may take tensor after tensor
// from a stream; nothing of it is believed before it is checked.
//
//   ┌ 8 bytes ─┬ n bytes, padded with spaces ────────────────────────────────────┬ data ────────────┐
//   │ n, u64   │ {"__metadata__":{…},"w":{"dtype":…,"shape":…,"data_offsets":…}} │ tensor, tensor … │
//   └──────────┴─────────────────────────────────────────────────────────────────┴──────────────────┘

import { FormatError, OctetteError } from "../errors";
import { type DType, sizeOf, type Tensor, viewOf } from "../graph/tensor";
import { brief, countElements, decodeElements, type ElementKind, elementKinds, MAX_RANK } from "./elements";

/** Longest header read: the limit of the reference implementation. */
export const MAX_SAFETENSORS_HEADER_BYTES = 100_000_000;
/** Bytes of the length of the header, before it. */
export const LENGTH_BYTES = 8;
/** Where the first bytes are not a header. */
const WAY_OUT = "Is it a whole .octette or safetensors file? ONNX is made .octette by `octette quantize`";

export interface SafetensorsEntry {
  readonly name: string;
  /** As the file has it, such as "BF16". */
  readonly dtype: string;
  readonly shape: readonly number[];
  /** Offset in the file of its first byte. */
  readonly offset: number;
  /** Length in bytes. */
  readonly bytes: number;
}

export interface SafetensorsHeader {
  /** Bytes before the data, the length prefix included. */
  readonly headerBytes: number;
  /** Bytes of the whole file. */
  readonly fileBytes: number;
  /** In the order of their data; each begins where the one before ends. */
  readonly entries: readonly SafetensorsEntry[];
  readonly metadata: Record<string, string>;
}

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
/** As files name the dtypes of octette. */
export const storedNames: Readonly<Record<DType, string>> = {
  f32: "F32",
  i8: "I8",
  u8: "U8",
  i32: "I32",
  bool: "BOOL",
};

/**
 * Bytes before the data, the length prefix included, from the first 8 bytes of a file: how much to read before
 * readSafetensorsHeader.
 * @throws FormatError when there are fewer than 8, or the header is longer than MAX_SAFETENSORS_HEADER_BYTES.
 */
export function safetensorsHeaderBytes(bytes: Uint8Array, where = "safetensors"): number {
  if (bytes.length < LENGTH_BYTES)
    throw new FormatError("truncated", {
      where,
      offset: bytes.length,
      expected: "the length of the header, 8 bytes",
    });
  const view = new DataView(bytes.buffer, bytes.byteOffset, LENGTH_BYTES);
  const length = view.getUint32(4, true) * 2 ** 32 + view.getUint32(0, true);
  if (length > MAX_SAFETENSORS_HEADER_BYTES)
    throw new FormatError("the header is too long", {
      where,
      offset: 0,
      expected: `at most MAX_SAFETENSORS_HEADER_BYTES = ${MAX_SAFETENSORS_HEADER_BYTES}`,
      got: `${length}`,
      hint: WAY_OUT,
    });
  return LENGTH_BYTES + length;
}

/**
 * Reads and checks the header from the first bytes of a file, at least safetensorsHeaderBytes of them. The tensors
 * are known to lie one after the other, each as long as its shape says; that the file is `fileBytes` long is left to
 * the caller.
 * @throws FormatError when the header breaks a rule of the format.
 */
export function readSafetensorsHeader(bytes: Uint8Array, where = "safetensors"): SafetensorsHeader {
  const headerBytes = safetensorsHeaderBytes(bytes, where);
  if (bytes.length < headerBytes)
    throw new FormatError("truncated", {
      where,
      offset: bytes.length,
      expected: `a header of ${headerBytes} bytes`,
      got: `${bytes.length}`,
    });
  const { __metadata__: described = {}, ...tensors } = parseObject(
    bytes.subarray(LENGTH_BYTES, headerBytes),
    where,
  );
  const metadata = checkMetadata(described, where);
  const entries = Object.entries(tensors).map(([name, value]) =>
    checkEntry(name, value, metadata, headerBytes, where),
  );
  entries.sort((a, b) => a.offset - b.offset || a.bytes - b.bytes);
  let end = headerBytes;
  for (const { name, offset, bytes: length } of entries) {
    if (offset !== end)
      throw new FormatError(`tensor "${name}" ${offset < end ? "overlaps another" : "comes after a hole"}`, {
        where,
        offset,
        expected: `data_offsets that begin at ${end - headerBytes}`,
        got: `${offset - headerBytes}`,
      });
    end += length;
  }
  return { headerBytes, fileBytes: end, entries, metadata };
}

/** The dtype of an entry's elements as octette holds them. Throws an OctetteError "unsupported" where it has none. */
export function dtypeOf({ name, dtype }: SafetensorsEntry, where = "safetensors"): DType {
  return elementKinds[kindOf(name, dtype, where)].dtype;
}

/** Whether an entry's bytes are its elements as octette holds them. */
export const isPlain = ({ dtype }: SafetensorsEntry): boolean =>
  dtype !== "BOOL" && Object.values(storedNames).includes(dtype);

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
 * others a copy: F16, BF16 and F64 become f32, integers of other sizes i32.
 * @throws FormatError when `bytes` is not `entry.bytes` long, or an integer does not fit i32; OctetteError
 * "unsupported" for 8-bit floats and complex numbers.
 */
export function readSafetensorsTensor(
  entry: SafetensorsEntry,
  bytes: Uint8Array,
  where = "safetensors",
): Tensor {
  const { name, dtype: stored, shape, offset } = entry;
  const at = `${where}, tensor "${name}"`;
  const kind = kindOf(name, stored, where);
  if (bytes.length !== entry.bytes)
    throw new FormatError("truncated", {
      where: at,
      offset: offset + bytes.length,
      expected: `${entry.bytes} bytes`,
      got: `${bytes.length}`,
    });
  const { bytes: size, dtype } = elementKinds[kind];
  const isView = storedNames[dtype] === stored && bytes.byteOffset % size === 0;
  if (isView && (kind !== "bool" || bytes.every((byte) => byte < 2)))
    return { dtype, shape, data: viewOf(dtype, bytes.buffer, bytes.byteOffset, bytes.length / size) };
  const { data, saturated } = decodeElements(kind, bytes);
  if (saturated >= 0)
    throw new FormatError("an integer outside 32 bits", {
      where: at,
      offset: offset + saturated * size,
      expected: "−2^31 to 2^31 − 1",
      got: `element ${saturated} of ${stored}`,
    });
  return { dtype, shape, data: data.subarray(0, sizeOf(shape)) };
}

/** Throws FormatError where a file does not end with its last tensor. */
export function checkLength(length: number, fileBytes: number, where: string): void {
  if (length === fileBytes) return;
  throw new FormatError(length < fileBytes ? "truncated" : "bytes after the last tensor", {
    where,
    offset: Math.min(length, fileBytes),
    expected: `${fileBytes} bytes`,
    got: `${length}`,
    hint: "Copy it again",
  });
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

function parseObject(json: Uint8Array, where: string): Record<string, unknown> {
  try {
    if (json[0] !== 0x7b) throw new SyntaxError("it does not begin with {");
    return JSON.parse(new TextDecoder("utf-8", { fatal: true }).decode(json));
  } catch (error) {
    throw new FormatError(`the header is not JSON (${(error as Error).message})`, {
      where,
      offset: LENGTH_BYTES,
      hint: WAY_OUT,
    });
  }
}

const isObject = (value: unknown): value is object =>
  typeof value === "object" && value !== null && !Array.isArray(value);

function checkMetadata(value: unknown, where: string): Record<string, string> {
  if (!isObject(value) || Object.values(value).some((text) => typeof text !== "string"))
    throw new FormatError("__metadata__ is not a map of strings", { where, offset: LENGTH_BYTES });
  return value as Record<string, string>;
}

function checkEntry(
  name: string,
  value: unknown,
  metadata: Readonly<Record<string, string>>,
  headerBytes: number,
  where: string,
): SafetensorsEntry {
  const fail = (what: string, expected: string, got: unknown): never => {
    throw new FormatError(what, {
      where: `${where}, tensor "${name}"`,
      offset: LENGTH_BYTES,
      expected,
      got: brief(got),
    });
  };
  if (!isObject(value))
    return fail("its entry is not an object", '{"dtype", "shape", "data_offsets"}', value);
  const field = (key: string): unknown => (Object.hasOwn(value, key) ? value[key as never] : undefined);
  const codes = metadata[`int4 ${name}`]?.split(",").map(Number);
  const dtype = codes ? "I4" : field("dtype");
  const shape = codes ?? field("shape");
  const offsets = field("data_offsets");
  const kind = typeof dtype === "string" ? kinds.get(dtype) : undefined;
  const size = kind === undefined ? otherSizes.get(dtype as string) : elementKinds[kind].bytes;
  if (typeof dtype !== "string" || size === undefined)
    return fail("an unknown dtype", [...kinds.keys(), ...otherSizes.keys()].join(", "), dtype);
  if (!Array.isArray(shape) || shape.length > MAX_RANK)
    return fail("its shape is not one", `at most ${MAX_RANK} whole numbers`, shape);
  const count = countElements(shape);
  if (count === undefined)
    return fail("its shape is not one", "whole numbers with a product below 2^53", shape);
  if (
    !Array.isArray(offsets) ||
    offsets.length !== 2 ||
    !offsets.every((n) => Number.isSafeInteger(n) && n >= 0)
  )
    return fail("its data_offsets are not two", "[begin, end]", offsets);
  const [begin, end] = offsets as [number, number];
  const bytes = Math.ceil(count * size);
  if (end - begin !== bytes)
    return fail("its length is not that of its shape", `${bytes} bytes for ${dtype} [${shape}]`, offsets);
  return { name, dtype, shape, offset: headerBytes + begin, bytes };
}
