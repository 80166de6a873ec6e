// Results of iterations one after another: the scan outputs of Loop and Scan.

import type { Node } from "../../graph/graph";
import { allocate, type DType, sizeOf, type Tensor, type TypedArray } from "../../graph/tensor";
import { opError } from "../op";

/** Bytes that the results of all iterations of one output may take. */
export const MAX_STACKED_BYTES = 2 ** 30;

export class Stack {
  readonly #node: Node;
  #first: Tensor | undefined;
  #data: TypedArray | undefined;
  #count = 0;

  constructor(node: Node) {
    this.#node = node;
  }

  /** Takes a copy of what an iteration made. */
  push(made: Tensor): void {
    const { dtype, shape, data } = made;
    const first = (this.#first ??= { dtype, shape, data: allocate(dtype, 0) });
    if (`${first.shape}` !== `${shape}`)
      throw opError(this.#node, "iterations make scan outputs of different shapes", {
        expected: `[${first.shape}]`,
        got: `[${shape}] in iteration ${this.#count}`,
      });
    const at = this.#count * data.length;
    if ((at + data.length) * data.BYTES_PER_ELEMENT > MAX_STACKED_BYTES)
      throw opError(this.#node, "its scan outputs take too much memory", {
        expected: `at most MAX_STACKED_BYTES = ${MAX_STACKED_BYTES} each`,
      });
    if (!this.#data || this.#data.length < at + data.length) {
      const larger = allocate(dtype, Math.max(4 * data.length, 2 * at));
      if (this.#data) larger.set(this.#data);
      this.#data = larger;
    }
    this.#data.set(data, at);
    this.#count++;
  }

  /** All of them: along a new axis `axis`, the last one first where `isReversed`. `otherwise` is one of them where there are none. */
  tensor(
    otherwise: { readonly dtype: DType; readonly shape: readonly number[] },
    axis = 0,
    isReversed = false,
  ): Tensor {
    const { dtype, shape } = this.#first ?? otherwise;
    const count = this.#count;
    const whole = [...shape.slice(0, axis), count, ...shape.slice(axis)];
    const from = this.#data ?? allocate(dtype, 0);
    if (axis === 0 && !isReversed) return { dtype, shape: whole, data: from.subarray(0, sizeOf(whole)) };
    const data = allocate(dtype, sizeOf(whole));
    const inner = sizeOf(shape.slice(axis));
    const outer = sizeOf(shape.slice(0, axis));
    for (let i = 0; i < count; i++)
      for (let o = 0; o < outer; o++) {
        const at = ((isReversed ? count - 1 - i : i) * outer + o) * inner;
        data.set(from.subarray(at, at + inner), (o * count + i) * inner);
      }
    return { dtype, shape: whole, data };
  }
}
