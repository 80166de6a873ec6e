// What a model has kept of a text: keys and values of its tokens, and what else its states hold. A state that attention fills has a
// row a token, in their order; that of a window is a ring, with token p in row p mod rows. Rows of codes lie in tiles of 32 tokens
// (assembly/language/cache.ts). Other states are rewritten by every run.

import { BLOCK, TILE } from "../../assembly/language/attention-sizes";
import type { Graph, Node } from "../graph/graph";
import { bytesPerElement, type Constant, sizeOf, type Tensor, viewOf } from "../graph/tensor";

/** How a state of a graph is filled. */
export interface StateLayout {
  readonly name: string;
  readonly dtype: Tensor["dtype"];
  readonly shape: readonly number[];
  readonly rows: number;
  readonly rowBytes: number;
  /** Whether each token fills a row; else all rows change in every run. */
  readonly isByToken: boolean;
  /** Tokens before it that a token attends to, itself included; Infinity: all. */
  readonly window: number;
  /** Where the bytes of a tile's rows lie in it, row after row, where rows lie in tiles. */
  readonly order: (() => Int32Array) | undefined;
}

/** The states of a cache: the filled part of each, as stored in memory. */
export type StateBytes = readonly Uint8Array<ArrayBuffer>[];

export function layoutsOf({ states = [], nodes }: Graph<Constant>): StateLayout[] {
  const coded = new Set(states.flatMap(({ name, dtype }) => (dtype === "i8" ? [name] : [])));
  const known = new Map<string, Int32Array>();
  return states.map(({ name, dtype, shape }) => {
    const reader = nodes.find(({ inputs }) => inputs.includes(name));
    const isByToken = reader?.op === "CachedAttention";
    const window = Number(reader?.attributes.window ?? 0);
    const [rows = 1, ...row] = shape as readonly number[];
    return {
      name,
      dtype,
      shape: shape as readonly number[],
      rows,
      rowBytes: sizeOf(row) * bytesPerElement[dtype],
      isByToken,
      window: isByToken && window > 0 ? window : Infinity,
      order:
        isByToken && coded.has(reader.inputs[3]!) ? orderOf(reader, name, sizeOf(row), known) : undefined,
    };
  });
}

/** The order of tiles of keys, values or their scales, made when it is first asked for, once for all layers of a kind. */
function orderOf({ inputs, attributes }: Node, name: string, width: number, known: Map<string, Int32Array>) {
  const kind = inputs.indexOf(name);
  const size = width / Number(attributes.kv_num_heads ?? attributes.num_heads);
  const place = PLACES[kind - 3]!;
  const bytes = kind === 3 || kind === 5 ? 1 : 4;
  const key = `${[kind, width, size]}`;
  return () => {
    if (!known.has(key)) {
      const order = new Int32Array(TILE * width * bytes);
      for (let i = 0; i < order.length; i++) {
        const element = Math.floor(i / bytes);
        order[i] = place(Math.floor(element / width), element % width, size) * bytes + (i % bytes);
      }
      known.set(key, order);
    }
    return known.get(key)!;
  };
}

/** Where element e of key j of a tile lies, heads having `size` elements: of keys, their scales, values, and theirs. */
const PLACES: readonly ((j: number, e: number, size: number) => number)[] = [
  (j, e) => (e - (e % BLOCK)) * TILE + j * BLOCK + (e % BLOCK),
  (j, e) => e * TILE + j,
  (j, e, size) => (e - (e % size)) * TILE + (j - (j % BLOCK)) * size + (e % size) * BLOCK + (j % BLOCK),
  (j, e) => e * TILE + j,
];

/** Rows that hold something after so many tokens. */
export const filledRows = ({ isByToken, rows }: StateLayout, position: number): number =>
  position === 0 ? 0 : isByToken ? Math.min(position, rows) : rows;

/** Bytes from the beginning of a state in which they lie: of tiles all. */
export function filledBytes(layout: StateLayout, position: number): number {
  const rows = filledRows(layout, position);
  return (layout.order ? Math.ceil(rows / TILE) * TILE : rows) * layout.rowBytes;
}

/** Whether rows of early tokens are written over by later ones. */
export const isRing = ({ window }: StateLayout): boolean => window < Infinity;

/** Bytes of a state row after row, from as they lie in memory, or back. */
function reordered({ order }: StateLayout, bytes: Uint8Array<ArrayBuffer>, isBack = false) {
  if (!order) return bytes;
  const places = order();
  const result = new Uint8Array(bytes.length);
  for (let tile = 0; tile < bytes.length; tile += places.length)
    for (let i = 0; i < places.length; i++)
      if (isBack) result[tile + places[i]!] = bytes[tile + i]!;
      else result[tile + i] = bytes[tile + places[i]!]!;
  return result;
}

/** The filled rows of a state in the order of their tokens, as a tensor of its own. */
export function unrolled(layout: StateLayout, bytes: Uint8Array<ArrayBuffer>, position: number): Tensor {
  const { rows, rowBytes, dtype, shape } = layout;
  const first = layout.isByToken && position > rows ? (position % rows) * rowBytes : 0;
  const count = bytes.length > 0 ? filledRows(layout, position) : 0;
  const plain = reordered(layout, bytes).subarray(0, count * rowBytes);
  const ordered = new Uint8Array(plain.length);
  ordered.set(plain.subarray(first));
  ordered.set(plain.subarray(0, first), plain.length - first);
  const own = [count, ...shape.slice(1)];
  return { dtype, shape: own, data: viewOf(dtype, ordered.buffer, 0, sizeOf(own)) };
}

/** A state as stored in memory, from rows in the order of their tokens. It keeps the last rows that fit. */
export function rolled(layout: StateLayout, ordered: Uint8Array, position: number): Uint8Array<ArrayBuffer> {
  const { rows, rowBytes } = layout;
  const bytes = new Uint8Array(filledBytes(layout, position));
  const count = rowBytes > 0 ? ordered.length / rowBytes : 0;
  for (let row = Math.max(0, count - rows); row < count; row++) {
    const slot = layout.isByToken ? (position - count + row) % rows : row;
    bytes.set(ordered.subarray(row * rowBytes, (row + 1) * rowBytes), slot * rowBytes);
  }
  return reordered(layout, bytes, true);
}

/** Whether a tensor can be the filled rows of a state after so many tokens. */
export function fitsState(layout: StateLayout, { dtype, shape }: Tensor, position: number): boolean {
  if (dtype !== layout.dtype || `${shape.slice(1)}` !== `${layout.shape.slice(1)}`) return false;
  const [rows = 0] = shape;
  if (!layout.isByToken || position === 0) return rows === filledRows(layout, position);
  return rows <= position && rows >= Math.min(position, layout.window);
}
