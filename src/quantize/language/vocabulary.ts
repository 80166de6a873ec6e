// What has a row for every token of the vocabulary: the table that a model begins with and the head that it ends in. Their floats are read
// in bands of rows, and of the table a run takes those rows alone that its text has, so no vocabulary is too large.

import type { LanguageGraph } from "../../formats/language-source";
import { type Graph, readsOf } from "../../graph/graph";
import { type Constant, sizeOf, type Tensor } from "../../graph/tensor";
import type { ToolkitOps } from "../../ops/infer";
import type { Block } from "./blocks";
import type { Tensors } from "./parts";
import { isLayerOf } from "./recipe";

/** Bytes of floats of a table or head that are in memory at once. */
const BAND_BYTES = 2 ** 24;

/** Rows `begin` to `end` − 1. */
export interface Band {
  readonly begin: number;
  readonly end: number;
}

/** A matrix with a row for each token. */
export interface TokenMatrix {
  /** Its constant. */
  readonly name: string;
  readonly bands: readonly Band[];
}

export interface TokenMatrices {
  /** What `ids` pick rows of; undefined where that is not all that is done with ids. */
  readonly table: TokenMatrix | undefined;
  /** What the logits are made by; undefined where what follows it does not take each logit by itself. */
  readonly head: TokenMatrix | undefined;
  /** Groups in which the head computes logits. */
  readonly bands: readonly Band[];
}

/** Finds table and head in the blocks of a model of floats, which makes so many `logits`. */
export function vocabularyOf(
  blocks: readonly Block[],
  logits: number,
  ops: ToolkitOps,
  bandBytes: number = BAND_BYTES,
): TokenMatrices {
  const matrixOf = ({ constants }: Graph<Constant>, name: string | undefined): TokenMatrix | undefined => {
    const shape = name === undefined ? undefined : constants.get(name)?.shape;
    return shape?.length === 2 ? { name: name!, bands: bandsOf(shape[0]!, shape[1]!, bandBytes) } : undefined;
  };
  const [first, last] = [blocks[0]!.graph, blocks.at(-1)!.graph];
  const readers = first.nodes.filter((node) => readsOf(node).includes("ids"));
  const picks =
    readers.length === 1 && readers[0]!.inputs[1] === "ids" && ops[readers[0]!.op]?.trained?.table;
  const at = last.nodes.findLastIndex((node) => isLayerOf(node, last.constants, ops));
  const isAlone = last.nodes
    .slice(at + 1)
    .flatMap(readsOf)
    .every((name) => sizeOf(last.constants.get(name)?.shape ?? []) === 1);
  const table = matrixOf(first, picks ? readers[0]!.inputs[0] : undefined);
  const head = matrixOf(last, isAlone ? last.nodes[at]?.inputs[1] : undefined);
  return { table, head, bands: head?.bands ?? [{ begin: 0, end: logits }] };
}

/** Bands of nearly one size. */
function bandsOf(n: number, k: number, bandBytes: number): Band[] {
  const count = Math.min(n, Math.ceil((4 * n * k) / bandBytes)) || 1;
  const bound = (i: number) => Math.floor((n * i) / count);
  return Array.from({ length: count }, (_, i) => ({ begin: bound(i), end: bound(i + 1) }));
}

/** A block whose head makes the logits of a band alone: constants that the head reads are cut, be they floats or codes. */
export function inBand(block: Block, { head }: TokenMatrices, { begin, end }: Band): Block {
  if (!head) return block;
  const own = ownOf(block, head.name, head.bands.at(-1)!.end);
  return withShapes(block, own, ([, ...rest]) => [end - begin, ...rest]);
}

/** The constants of such a block, cut from the whole model's. */
export function constantsInBand(
  block: Block,
  { head }: TokenMatrices,
  { begin, end }: Band,
  constants: Tensors,
): Tensors {
  if (!head) return constants;
  const own = ownOf(block, head.name, head.bands.at(-1)!.end);
  return new Map([...constants].map(([key, one]) => [key, own.has(key) ? rowsIn(one, begin, end) : one]));
}

/** Text with its distinct ids renumbered, and the first block over these ids' rows of the table. */
export interface Entry {
  readonly windows: readonly Int32Array[];
  /** The ids of each place, ascending; undefined where the block and its text are as they were. */
  readonly ids: readonly number[] | undefined;
}

export function entryOf({ table }: TokenMatrices, windows: readonly Int32Array[]): Entry {
  if (!table) return { windows, ids: undefined };
  const ids = [...new Set(windows.flatMap((window) => [...window]))].sort((a, b) => a - b);
  const places = new Map(ids.map((id, place) => [id, place]));
  return { ids, windows: windows.map((window) => window.map((id) => places.get(id)!)) };
}

/** The first block over the rows of an entry. */
export function inEntry(block: Block, { table }: TokenMatrices, { ids }: Entry): Block {
  if (!table || !ids) return block;
  const own = ownOf(block, table.name, table.bands.at(-1)!.end);
  return withShapes(block, own, ([, ...rest]) => [ids.length, ...rest]);
}

/** Its constants, cut from the whole model's. */
export function constantsInEntry(
  block: Block,
  { table }: TokenMatrices,
  { ids }: Entry,
  constants: Tensors,
): Tensors {
  if (!table || !ids) return constants;
  const own = ownOf(block, table.name, table.bands.at(-1)!.end);
  return new Map([...constants].map(([key, one]) => [key, own.has(key) ? pickedRows(one, ids) : one]));
}

/** The rows of a table that an entry has: none but those are read. */
export async function readEntry(
  { name }: TokenMatrix,
  ids: readonly number[],
  { readRows }: Pick<LanguageGraph, "readRows">,
): Promise<Tensor> {
  let made: { readonly data: Float32Array; readonly width: number } | undefined;
  for (let i = 0, to = 0; i < ids.length; i = to) {
    for (to = i + 1; to < ids.length && ids[to] === ids[to - 1]! + 1; ) to++;
    const { shape, data } = await readRows(name, ids[i]!, ids[to - 1]! + 1);
    const width = shape[1]!;
    made ??= { data: new Float32Array(ids.length * width), width };
    made.data.set(data as Float32Array, i * width);
  }
  return { dtype: "f32", shape: [ids.length, made!.width], data: made!.data };
}

/** Inputs of a matrix's reader that are constants with a number or a row for each of `n` tokens. */
function ownOf({ graph }: Block, matrix: string, n: number): ReadonlySet<string> {
  const reader = graph.nodes.find(({ inputs }) => inputs.includes(matrix))!;
  return new Set(readsOf(reader).filter((name) => graph.constants.get(name)?.shape[0] === n));
}

function withShapes(
  block: Block,
  names: ReadonlySet<string>,
  shapeOf: (shape: readonly number[]) => readonly number[],
): Block {
  const constants = [...block.graph.constants].map(
    ([name, { data: _, ...type }]) =>
      [
        name,
        names.has(name) ? { ...type, shape: shapeOf(type.shape) } : block.graph.constants.get(name)!,
      ] as const,
  );
  return { ...block, graph: { ...block.graph, constants: new Map(constants) } };
}

function rowsIn({ dtype, shape: [, ...rest], data }: Tensor, begin: number, end: number): Tensor {
  const size = sizeOf(rest);
  return { dtype, shape: [end - begin, ...rest], data: data.subarray(begin * size, end * size) };
}

function pickedRows({ dtype, shape: [, ...rest], data }: Tensor, ids: readonly number[]): Tensor {
  const size = sizeOf(rest);
  const picked = data.slice(0, ids.length * size);
  for (const [place, id] of ids.entries())
    picked.set(data.subarray(id * size, (id + 1) * size) as never, place * size);
  return { dtype, shape: [ids.length, ...rest], data: picked };
}
