// Sequences as tensors: their elements one after another along the first axis. Shapes are computed, as a file need not say how many
// dimensions a value has.

import { Parts } from "./parts";
import type { Piece, Sequence, Source } from "./source";

/** Thrown where elements are read that earlier iterations of a loop made: the loop may carry them as a tensor. */
export class ReadBefore extends Error {
  readonly before: object;

  constructor(before: object) {
    super("elements of a loop's list");
    this.before = before;
  }
}

/** The element that a piece is, where it is there in any case. */
export const elementOf = (piece: Piece | undefined): string | undefined =>
  piece && "element" in piece && piece.when === undefined ? piece.element : undefined;

/** The elements of a sequence that has a name for each. */
export function elementsOf(sequence: Sequence): readonly string[] | undefined {
  const elements = sequence.map(elementOf);
  return elements.every((one) => one !== undefined) ? elements : undefined;
}

/** Nodes that move elements of sequences. */
export class Stacks extends Parts {
  readonly #source: Source;

  constructor(source: Source) {
    super(source);
    this.#source = source;
  }

  /** Its dimensions, as a vector. */
  dims(x: string, start: number, end?: number): string {
    return this.make("Shape", "dims", [x], { start, ...(end !== undefined && { end }) });
  }

  /** How many elements dimensions have together. */
  count(dims: string, keepdims = 1): string {
    return this.make("ReduceProd", "count", [dims], { keepdims });
  }

  reshape(x: string, dims: readonly string[]): string {
    const all = dims.length === 1 ? dims[0]! : this.make("Concat", "shape", dims, { axis: 0 });
    return this.make("Reshape", "reshaped", [x, all], { allowzero: 1 });
  }

  /** [a…, b…, …] as [b…, a…, …]. b has the dimensions from `middle` to `end`, from the end on where they are negative. */
  swap(x: string, middle: number, end: number): string {
    const after = end === 0 ? [] : [this.dims(x, end)];
    const [a, b] = [this.dims(x, 0, middle), this.dims(x, middle, end === 0 ? undefined : end)];
    const cube = this.reshape(
      x,
      [a, b, ...after].map((dims) => this.count(dims)),
    );
    const perm = after.length ? [1, 0, 2] : [1, 0];
    return this.reshape(this.make("Transpose", "turned", [cube], { perm }), [b, a, ...after]);
  }

  /** With its first dimension at `at`. */
  turn(x: string, at: number): string {
    return this.swap(x, 1, at + 1);
  }

  /** Dimensions `at` and `at + 1` as one. */
  merge(x: string, at: number): string {
    const end = at + 2;
    const [outer, inner] = [at === 0 ? [] : [this.dims(x, 0, at)], end === 0 ? [] : [this.dims(x, end)]];
    const merged = this.count(this.dims(x, at, end === 0 ? undefined : end));
    return this.reshape(x, [...outer, merged, ...inner]);
  }

  /** A condition as a vector of one. */
  flag(when: string): string {
    return this.reshape(when, [this.integers("one", [1])]);
  }

  /** The elements that have a flag. */
  compress(x: string, flags: string): string {
    return this.make("Compress", "kept", [x, flags], { axis: 0 });
  }

  /** A piece as a tensor of its elements. */
  stacked(piece: Piece): string {
    if ("before" in piece) throw new ReadBefore(piece.before);
    if ("element" in piece) {
      const one = this.make("Unsqueeze", "element", [piece.element], { axes: [0] });
      return piece.when === undefined ? one : this.compress(one, this.flag(piece.when));
    }
    const { stack, axis, isKept } = piece;
    // Concat of one: an axis that there is not is an error.
    if (!isKept)
      return axis === 0 ? stack : this.swap(this.make("Concat", "stack", [stack], { axis }), axis, axis + 1);
    const more = this.make("Unsqueeze", "kept", [stack], { axes: [axis < 0 ? axis : axis + 1] });
    return this.stacked({ stack: more, axis: axis < 0 ? axis - 1 : axis });
  }

  /** How many elements a piece has. */
  length(piece: Piece): string {
    if ("element" in piece && piece.when !== undefined)
      return this.make("Cast", "length", [this.reshape(piece.when, [this.integers("none", [])])], {
        to: "i32",
      });
    const { stack, axis } = "stack" in piece ? piece : { stack: this.stacked(piece), axis: 0 };
    return this.count(this.dims(stack, axis, axis === -1 ? undefined : axis + 1), 0);
  }

  /** All elements. */
  whole(sequence: Sequence): string {
    const all = sequence.map((piece) => this.stacked(piece));
    if (all.length === 0)
      throw this.#source.error("its sequence is empty", {
        expected: "an element, whose shape is the others'",
      });
    return all.length === 1 ? all[0]! : this.make("Concat", "whole", all, { axis: 0 });
  }
}
