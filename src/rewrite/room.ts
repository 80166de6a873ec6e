// What simplifying may cost: bytes of constants that are made and read over all of its passes, as a multiple of those that
// the file holds. A small file can ask for much, such as a Range of millions, or one weight folded into thousands of layers.

import { OctetteError } from "../errors";
import { constantsIn } from "../graph/bodies";
import type { Graph } from "../graph/graph";
import type { Tensor } from "../graph/tensor";
import { turned } from "../ops/core/transpose";

/** Nodes that all rounds together look at, the first one aside: a model of more stays less simple. */
export const MAX_VISITS = 2 ** 20;
/** Nodes whose branches may go on for themselves: each copies what follows it. */
const MAX_SPLITS = 32;
/** Bytes of constants that may be made beside those in proportion to a model's own. */
export const MAX_FOLDED_BYTES = 2 ** 24;
/** Bytes that may be made for each byte of a model's constants: codes of one byte become floats of four, some of them twice. */
const MADE = 8;
/** Bytes that may be read for each that may be made. */
const READ = 2;

export class Room {
  #made: number;
  #read: number;
  #visits = 0;
  #splits = 0;
  readonly #turned = new Map<Tensor, Tensor>();

  /** For a graph as it came. */
  constructor(graph: Graph) {
    const own = constantsIn(graph).reduce((n, { data }) => n + data.byteLength, 0);
    this.#made = MAX_FOLDED_BYTES + MADE * own;
    this.#read = READ * this.#made;
  }

  /** Whether there is room for constants of `made` bytes, computed of `read` bytes. */
  has(made: number, read: number): boolean {
    return made <= this.#made && read <= this.#read;
  }

  /** A matrix with its dimensions exchanged: one for all graphs that have the same matrix. */
  turned(matrix: Tensor): Tensor {
    const known = this.#turned.get(matrix) ?? turned(matrix);
    this.#turned.set(matrix, known);
    return known;
  }

  /** Counts nodes that a round looks at; false where rounds have looked at enough. */
  visit(nodes: number): boolean {
    const isLeft = this.#visits < MAX_VISITS;
    this.#visits += nodes;
    return isLeft;
  }

  /** Counts a node whose branches go on for themselves. */
  split(where: string): void {
    if (++this.#splits <= MAX_SPLITS) return;
    throw new OctetteError("what follows its branches would be copied too often", {
      code: "limit",
      where,
      expected: `at most MAX_SPLITS = ${MAX_SPLITS} times an If whose branches make other ranks`,
      hint: "Fix the symbols that its condition compares when importing (options.symbols)",
    });
  }

  take(made: number, read: number): void {
    this.#made -= made;
    this.#read -= read;
  }

  /** Takes room for what cannot be left undone. */
  need(made: number, read: number, where: string): void {
    if (this.has(made, read)) return this.take(made, read);
    throw new OctetteError("simplifying would make too many constants of those in the model", {
      code: "limit",
      where,
      expected: `at most MAX_FOLDED_BYTES = ${MAX_FOLDED_BYTES}, and ${MADE} bytes for each byte of its constants`,
      hint: "Give layers constants of their own, or simplify the model when exporting it",
    });
  }
}
