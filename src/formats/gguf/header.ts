// GGUF (github.com/ggml-org/ggml, docs/gguf.md), versions 2 and 3, little-endian: keys and values, then what the tensors are, then
// the tensors' bytes. The head is read and checked; bytes of tensors are read when they are wanted.
//
//   ┌ "GGUF" ┬ version ┬ tensors ┬ keys ┬ key, kind, value … ┬ name, rank, dims, type, offset … ┬ padding ┬ data ┐
//   │ 4      │ u32     │ u64     │ u64  │                    │                                 │         │      │
//   └────────┴─────────┴─────────┴──────┴────────────────────┴─────────────────────────────────┴─────────┴──────┘

import { FormatError, OctetteError } from "../../errors";
import type { Seekable } from "../../files/seek";
import { countElements } from "../checks";
import { type BlockType, blockTypeOf } from "./block-types";
import { GgufCursor, type GgufValue, MAX_GGUF_ENTRIES } from "./metadata";

/** "GGUF", little-endian. */
const MAGIC = 0x46554747;
const VERSIONS = [2, 3];
const ALIGNMENT_KEY = "general.alignment";
const DEFAULT_ALIGNMENT = 32;
const MAX_ALIGNMENT = 2 ** 16;
/** Most dimensions of a tensor. */
const MAX_DIMS = 4;
/** Least bytes of a key with its value, and of a tensor's description. */
const LEAST_KEY = 13;
const LEAST_TENSOR = 24;

export interface GgufTensor {
  readonly name: string;
  /** The outermost dimension first: rows of a matrix, then their elements. The file has them the other way round. */
  readonly shape: readonly number[];
  readonly type: BlockType;
  /** Place of its first byte in the file, and how many there are. */
  readonly offset: number;
  readonly bytes: number;
}

export interface GgufHeader {
  readonly keys: ReadonlyMap<string, GgufValue>;
  readonly tensors: ReadonlyMap<string, GgufTensor>;
}

/**
 * Reads everything before the tensors' bytes.
 * @throws FormatError where the file breaks a rule of the format; OctetteError "unsupported" for other versions, other byte orders and
 * types octette does not have, "limit" above a named limit.
 */
export async function readGgufHeader(file: Seekable, where: string): Promise<GgufHeader> {
  const cursor = new GgufCursor(file, where);
  await checkStart(cursor);
  const tensorCount = await cursor.scalar("u64");
  const keyCount = await cursor.scalar("u64");
  cursor.fits("keys", keyCount, LEAST_KEY);
  cursor.bound("keys", keyCount, "MAX_GGUF_ENTRIES", MAX_GGUF_ENTRIES);
  cursor.fits("tensors", tensorCount, LEAST_TENSOR);
  cursor.bound("tensors", tensorCount, "MAX_GGUF_ENTRIES", MAX_GGUF_ENTRIES);
  const keys = new Map<string, GgufValue>();
  for (let i = 0; i < keyCount; i++) {
    const key = await cursor.text();
    if (keys.has(key)) throw cursor.fail("a key is there twice", "each once", key);
    keys.set(key, await cursor.value());
  }
  const found: FoundTensor[] = [];
  for (let i = 0; i < tensorCount; i++) found.push(await readTensor(cursor));
  const alignment = alignmentOf(keys, where);
  const begin = Math.ceil(cursor.offset / alignment) * alignment;
  return { keys, tensors: placed(found, begin, alignment, file.size, where) };
}

async function checkStart(cursor: GgufCursor): Promise<void> {
  const magic = cursor.left < 4 ? 0 : await cursor.scalar("u32");
  if (magic !== MAGIC)
    throw new FormatError("is not GGUF", { where: cursor.where, offset: 0, expected: 'the bytes "GGUF"' });
  const version = await cursor.scalar("u32");
  if (VERSIONS.includes(version)) return;
  const isBigEndian = (version & 0xffff) === 0;
  throw new OctetteError(isBigEndian ? "is big-endian" : "is of a version that octette does not have", {
    code: "unsupported",
    where: cursor.where,
    expected: isBigEndian ? "little-endian" : `version ${VERSIONS.join(" or ")}`,
    ...(isBigEndian ? {} : { got: String(version) }),
    hint: "Convert the model again",
  });
}

type FoundTensor = Omit<GgufTensor, "bytes"> & { readonly rows: number };

async function readTensor(cursor: GgufCursor): Promise<FoundTensor> {
  const name = await cursor.text();
  const at = `tensor "${name.slice(0, 200)}"`;
  const rank = await cursor.scalar("u32");
  if (rank < 1 || rank > MAX_DIMS)
    throw cursor.fail(`${at}: wrong number of dimensions`, `1 to ${MAX_DIMS}`, String(rank));
  const shape: number[] = [];
  for (let i = 0; i < rank; i++) shape.unshift(await cursor.scalar("u64"));
  const count = countElements(shape);
  if (count === undefined || count === 0)
    throw cursor.fail(
      `${at}: wrong dimensions`,
      "whole numbers above 0 with a product below 2^53",
      `[${shape}]`,
    );
  const type = blockTypeOf(await cursor.scalar("u32"), `${cursor.where}, ${at}`);
  const width = shape.at(-1)!;
  if (width % type.size !== 0)
    throw cursor.fail(
      `${at}: rows are no whole blocks`,
      `a multiple of ${type.size} for ${type.name}`,
      String(width),
    );
  return { name, shape, type, rows: count / width, offset: await cursor.scalar("u64") };
}

function alignmentOf(keys: ReadonlyMap<string, GgufValue>, where: string): number {
  const alignment = keys.get(ALIGNMENT_KEY) ?? DEFAULT_ALIGNMENT;
  const isOne = typeof alignment === "number" && alignment > 0 && alignment <= MAX_ALIGNMENT;
  if (isOne && Number.isInteger(Math.log2(alignment))) return alignment;
  throw new FormatError(`${ALIGNMENT_KEY} is wrong`, {
    where,
    expected: `a power of two up to ${MAX_ALIGNMENT}`,
    got: String(alignment),
  });
}

/** Tensors by name, their places checked: inside the file, aligned, apart from each other. */
function placed(
  found: readonly FoundTensor[],
  begin: number,
  alignment: number,
  size: number,
  where: string,
): Map<string, GgufTensor> {
  const tensors = new Map<string, GgufTensor>();
  for (const { rows, ...tensor } of found) {
    const { name, shape, type, offset } = tensor;
    const fail = (what: string, expected: string, got: string): never => {
      throw new FormatError(what, { where: `${where}, tensor "${name}"`, expected, got });
    };
    const bytes = rows * (shape.at(-1)! / type.size) * type.bytes;
    if (tensors.has(name)) fail("is there twice", "each once", name);
    if (offset % alignment !== 0) fail("lies at a wrong place", `a multiple of ${alignment}`, String(offset));
    if (begin + offset + bytes > size)
      fail("lies beyond the end of the file", `at most ${size} bytes`, String(begin + offset + bytes));
    tensors.set(name, { ...tensor, offset: begin + offset, bytes });
  }
  const ordered = [...tensors.values()].sort((a, b) => a.offset - b.offset);
  ordered.forEach((tensor, i) => {
    const before = ordered[i - 1];
    if (before && before.offset + before.bytes > tensor.offset)
      throw new FormatError(`tensors "${before.name}" and "${tensor.name}" overlap`, {
        where,
        offset: tensor.offset,
      });
  });
  return tensors;
}
