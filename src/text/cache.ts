// What a model has kept of a text: keys and values of its tokens, and what else its states hold. A state that attention fills has a
// row a token, in their order; that of a window is a ring, with token p in row p mod rows. Other states are rewritten by every run.

import type { Graph } from "../graph/graph";
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
}

/** The states of a cache: of each the rows that are filled, as they lie in memory. */
export type StateBytes = readonly Uint8Array<ArrayBuffer>[];

export function layoutsOf({ states = [], nodes }: Graph<Constant>): StateLayout[] {
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
    };
  });
}

/** Rows that hold something after so many tokens. */
export const filledRows = ({ isByToken, rows }: StateLayout, position: number): number =>
  position === 0 ? 0 : isByToken ? Math.min(position, rows) : rows;

/** Whether rows of early tokens are written over by later ones. */
export const isRing = ({ window }: StateLayout): boolean => window < Infinity;

/** The filled rows of a state in the order of their tokens, as a tensor of its own. */
export function unrolled(layout: StateLayout, bytes: Uint8Array, position: number): Tensor {
  const { rows, rowBytes, dtype, shape } = layout;
  const first = layout.isByToken && position > rows ? (position % rows) * rowBytes : 0;
  const ordered = new Uint8Array(bytes.length);
  ordered.set(bytes.subarray(first));
  ordered.set(bytes.subarray(0, first), bytes.length - first);
  const count = rowBytes > 0 ? bytes.length / rowBytes : 0;
  const own = [count, ...shape.slice(1)];
  return { dtype, shape: own, data: viewOf(dtype, ordered.buffer, 0, sizeOf(own)) };
}

/** The rows of a state as they lie in memory, from those in the order of their tokens: the last ones, of which there may be more. */
export function rolled(layout: StateLayout, ordered: Uint8Array, position: number): Uint8Array<ArrayBuffer> {
  const { rows, rowBytes } = layout;
  const bytes = new Uint8Array(filledRows(layout, position) * rowBytes);
  const count = rowBytes > 0 ? ordered.length / rowBytes : 0;
  for (let row = Math.max(0, count - rows); row < count; row++) {
    const slot = layout.isByToken ? (position - count + row) % rows : row;
    bytes.set(ordered.subarray(row * rowBytes, (row + 1) * rowBytes), slot * rowBytes);
  }
  return bytes;
}

/** Whether a tensor can be the filled rows of a state after so many tokens. */
export function fitsState(layout: StateLayout, { dtype, shape }: Tensor, position: number): boolean {
  if (dtype !== layout.dtype || `${shape.slice(1)}` !== `${layout.shape.slice(1)}`) return false;
  const [rows = 0] = shape;
  if (!layout.isByToken || position === 0) return rows === filledRows(layout, position);
  return rows <= position && rows >= Math.min(position, layout.window);
}
