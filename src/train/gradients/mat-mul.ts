// Products of two values: da = dy·bᵀ, db = aᵀ·dy, each summed over the stacks it was repeated in.

import { countOf, type Shape } from "../../graph/symbols";
import { stacksOf } from "../../ops/core/mat-mul";
import { sameShape } from "../../ops/core/reshape";
import type { Backward, Rule } from "./rule";

/** A value, or one that was written, and its shape. */
interface Seen {
  readonly value: string;
  readonly shape: Shape;
}

export const matMul: Rule = ({ node, inputs, outputs }, [dy], b) => {
  const [x, w] = inputs.map((value): Seen => ({ value, shape: b.type(value).shape })) as [Seen, Seen];
  const product = stacksOf(node, x.shape, w.shape);
  const { m, n, k } = product;
  let { left, right, stack } = product;
  // With one matrix on the right, every row on the left is a row of one product.
  if (countOf(right.slice(0, -2)) === 1) {
    left = [countOf([...stack, m]), k];
    right = [k, n];
    stack = [];
  }
  const rows = left.at(-2)!;
  const result = { value: dy!, shape: b.type(outputs[0]!).shape };
  const gradient = seenAs(b, result, [...stack, rows, n]);
  if (b.wants(x.value)) {
    const full = b.write("MatMul", [gradient.value, transposed(b, seenAs(b, w, right))])[0];
    b.give(x.value, summed(b, { value: full, shape: [...stack, rows, k] }, left, x.shape));
  }
  if (b.wants(w.value)) {
    const full = b.write("MatMul", [transposed(b, seenAs(b, x, left)), gradient.value])[0];
    b.give(w.value, summed(b, { value: full, shape: [...stack, k, n] }, right, w.shape));
  }
};

function seenAs(b: Backward, seen: Seen, shape: Shape): Seen {
  if (sameShape(seen.shape, shape)) return seen;
  return { value: b.write("Reshape", [seen.value], { shape, allowzero: 1 })[0], shape };
}

/** The matrices of a stack, each with its last two dimensions exchanged. */
function transposed(b: Backward, { value, shape }: Seen): string {
  const axes = shape.map((_, axis) => axis);
  const perm = [...axes.slice(0, -2), axes.length - 1, axes.length - 2];
  return b.write("Transpose", [value], { perm })[0];
}

/** The gradient of a stack, as the operand has it. */
function summed(b: Backward, full: Seen, stack: Shape, shape: Shape): string {
  const isWhole = sameShape(full.shape, stack);
  const sum = isWhole ? full.value : b.write("SumTo", [full.value], { shape: stack })[0];
  return seenAs(b, { value: sum, shape: stack }, shape).value;
}
