// Places in wasm memory, before a plan lays it out.

import { addDims, type Dim } from "../graph/symbols";

/** A place in wasm memory, which becomes a number when the plan's memory is laid out. */
export interface Address {
  readonly buffer: Buffer;
  /** In bytes; what a symbol decides, every run evaluates. */
  readonly offset: Dim;
}

/** Bytes of a buffer: a dimension, or a function of what dimensions are at most. Of constants a number. */
export type Size = Dim | ((most: (dim: Dim) => number) => number);

/** A place in memory that the planner finds an address for. */
export interface Buffer {
  readonly area: "constants" | "arena" | "staging";
  readonly bytes: Size;
  /** First and last step that touch it; arena only. */
  first: number;
  last: number;
}

/** The address so many bytes further on. */
export const behind = ({ buffer, offset }: Address, bytes: Dim): Address => ({
  buffer,
  offset: addDims(offset, bytes),
});

/** The null address: an operand left out. */
export const NONE = 0 as const;
