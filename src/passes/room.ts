// What simplifying may cost: bytes of constants that are made and read over all of its passes, as a multiple of those that
// the file holds. A small file can ask for much, such as a Range of millions, or one weight folded into thousands of layers.

import { OctetteError } from "../errors";
import type { Graph } from "../graph/graph";

/** Bytes of constants that may be made beside those in proportion to a model's own. */
export const MAX_FOLDED_BYTES = 2 ** 24;
/** Bytes that may be made for each byte of a model's constants: codes of one byte become floats of four, some of them twice. */
const MADE = 8;
/** Bytes that may be read for each that may be made. */
const READ = 2;

export class Room {
  #made: number;
  #read: number;

  /** For a graph as it came. */
  constructor({ constants }: Graph) {
    let own = 0;
    for (const { data } of constants.values()) own += data.byteLength;
    this.#made = MAX_FOLDED_BYTES + MADE * own;
    this.#read = READ * this.#made;
  }

  /** Whether there is room for constants of `made` bytes, computed of `read` bytes. */
  has(made: number, read: number): boolean {
    return made <= this.#made && read <= this.#read;
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
