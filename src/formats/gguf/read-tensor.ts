// Elements and codes of one tensor, a few rows at a time: beside the result, little memory is needed.

import { OctetteError } from "../../errors";
import type { Seekable } from "../../files/seek";
import { decodeElements } from "../elements";
import type { BlockCodes } from "../language-source";
import type { BlockCoding, Unpacked } from "./block-codings";
import type { GgufTensor } from "./header";

/** Bytes that are read at once, one row at least. */
const CHUNK = 2 ** 20;

/** In which order rows are wanted: row `i` of the result is row `rowOf(i)` of the file. */
export type RowOrder = (row: number) => number;

const asTheyAre: RowOrder = (row) => row;

/** What stops an allocation is the engine's memory: a tensor is never larger than its file's bytes allow, 16 elements to a byte. */
function allocated<T>(where: string, make: () => T): T {
  try {
    return make();
  } catch {
    throw new OctetteError("this engine has no such memory to give", { code: "limit", where });
  }
}

interface Matrix {
  readonly rows: number;
  readonly cols: number;
}

function matrixOf({ shape }: GgufTensor): Matrix {
  const cols = shape.at(-1)!;
  return { rows: shape.reduce((n, dim) => n * dim, 1) / cols, cols };
}

/** The rows' bytes in the order of the file, as many at a time as fit into a chunk. */
async function eachRows(
  file: Seekable,
  tensor: GgufTensor,
  { rows }: Matrix,
  take: (bytes: Uint8Array, first: number, count: number) => void,
): Promise<void> {
  const rowBytes = tensor.bytes / rows;
  const atOnce = Math.max(1, Math.floor(CHUNK / rowBytes));
  const buffer = new Uint8Array(Math.min(atOnce, rows) * rowBytes);
  for (let first = 0; first < rows; first += atOnce) {
    const count = Math.min(atOnce, rows - first);
    const bytes = buffer.subarray(0, count * rowBytes);
    await file.read(tensor.offset + first * rowBytes, bytes);
    take(bytes, first, count);
  }
}

/** Where a row of the file is in the result. */
function placesOf(rows: number, order: RowOrder): Int32Array {
  const places = new Int32Array(rows);
  for (let row = 0; row < rows; row++) places[order(row)] = row;
  return places;
}

/** Elements as f32: those of codes are scale · code − offset, each operation rounded to f32. */
export async function readGgufTensor(
  file: Seekable,
  tensor: GgufTensor,
  where: string,
  order: RowOrder = asTheyAre,
): Promise<Float32Array> {
  const matrix = matrixOf(tensor);
  const { rows, cols } = matrix;
  const { float, coding } = tensor.type;
  const data = allocated(where, () => new Float32Array(rows * cols));
  const places = placesOf(rows, order);
  const row = coding && unpackedRow(cols, coding);
  const rowBytes = tensor.bytes / rows;
  await eachRows(file, tensor, matrix, (bytes, first, count) => {
    for (let i = 0; i < count; i++) {
      const place = places[first + i]! * cols;
      const part = bytes.subarray(i * rowBytes, (i + 1) * rowBytes);
      if (float) data.set(decodeElements(float, part).data, place);
      else {
        unpackRow(part, tensor, row!, 0, 0);
        dequantize(row!, coding!, data.subarray(place, place + cols));
      }
    }
  });
  return data;
}

/** Codes with scales and offsets of groups; undefined of floats and of what is no matrix. */
export async function readGgufCodes(
  file: Seekable,
  tensor: GgufTensor,
  where: string,
  order: RowOrder = asTheyAre,
): Promise<BlockCodes | undefined> {
  const { coding } = tensor.type;
  if (!coding || tensor.shape.length !== 2) return undefined;
  const matrix = matrixOf(tensor);
  const { rows, cols } = matrix;
  const groups = cols / coding.group;
  const all = allocated(where, () => ({
    codes: new Int8Array(rows * cols),
    scales: new Float32Array(rows * groups),
    offsets: new Float32Array(coding.hasOffsets ? rows * groups : 0),
  }));
  const places = placesOf(rows, order);
  const rowBytes = tensor.bytes / rows;
  await eachRows(file, tensor, matrix, (bytes, first, count) => {
    for (let i = 0; i < count; i++) {
      const place = places[first + i]!;
      unpackRow(bytes.subarray(i * rowBytes, (i + 1) * rowBytes), tensor, all, place * cols, place * groups);
    }
  });
  shiftCodes(all, coding);
  return {
    shape: [rows, cols],
    bits: coding.bits,
    size: coding.group,
    codes: all.codes,
    scales: all.scales,
    ...(coding.hasOffsets ? { offsets: all.offsets } : {}),
  };
}

const unpackedRow = (cols: number, coding: BlockCoding): Unpacked => ({
  codes: new Int8Array(cols),
  scales: new Float32Array(cols / coding.group),
  offsets: new Float32Array(cols / coding.group),
});

function unpackRow(
  bytes: Uint8Array,
  { type }: GgufTensor,
  out: Unpacked,
  element: number,
  group: number,
): void {
  const coding = type.coding!;
  const groups = type.size / coding.group;
  for (let at = 0, block = 0; at < bytes.length; at += type.bytes, block++)
    coding.unpack(bytes, at, out, element + block * type.size, group + block * groups);
}

function dequantize({ codes, scales, offsets }: Unpacked, coding: BlockCoding, out: Float32Array): void {
  const { group, hasOffsets } = coding;
  for (let g = 0; g < scales.length; g++) {
    const scale = scales[g]!;
    const offset = offsets[g]!;
    const end = (g + 1) * group;
    if (hasOffsets) for (let i = g * group; i < end; i++) out[i] = Math.fround(scale * codes[i]!) - offset;
    else for (let i = g * group; i < end; i++) out[i] = scale * codes[i]!;
  }
}

/** Takes 8 from codes of 0 to 15, and what that makes from the offsets: scale · code − offset stays. */
function shiftCodes({ codes, scales, offsets }: Unpacked, { shift }: BlockCoding): void {
  if (shift === 0) return;
  for (let i = 0; i < codes.length; i++) codes[i]! -= shift;
  for (let g = 0; g < scales.length; g++) offsets[g]! -= shift * scales[g]!;
}
