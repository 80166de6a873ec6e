// The header of safetensors files (github.com/huggingface/safetensors, README "Format"): the length of a JSON header, the header, then
// the tensors' bytes without holes. The header can be read alone, so that a loader may take tensor after tensor
// from a stream; nothing of it is believed before it is checked.
//
//   ┌ 8 bytes ─┬ n bytes, padded with spaces ────────────────────────────────────┬ data ────────────┐
//   │ n, u64   │ {"__metadata__":{…},"w":{"dtype":…,"shape":…,"data_offsets":…}} │ tensor, tensor … │
//   └──────────┴─────────────────────────────────────────────────────────────────┴──────────────────┘

import { FormatError } from "../errors";
import { brief, countElements, MAX_RANK } from "./checks";

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

/** Bytes of an element by the name of its dtype, of those that a file may have. */
export type Sizes = Readonly<Record<string, number>>;

/**
 * Bytes before the data, the length prefix included, from the first 8 bytes of a file: how much to read before
 * readHeader.
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
export function readHeader(bytes: Uint8Array, where: string, sizes: Sizes): SafetensorsHeader {
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
    checkEntry(name, value, metadata, headerBytes, where, sizes),
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
  sizes: Sizes,
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
  const size = typeof dtype === "string" && Object.hasOwn(sizes, dtype) ? sizes[dtype] : undefined;
  if (typeof dtype !== "string" || size === undefined)
    return fail("an unknown dtype", Object.keys(sizes).join(", "), dtype);
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
