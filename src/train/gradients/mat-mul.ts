// Products of two values that are computed: da = dy·bᵀ, db = aᵀ·dy, each summed over the stacks it was repeated in.

import { countOf, type Shape } from "../../graph/symbols";
import { stacksOf } from "../../ops/mat-mul";
import { sameShape } from "../../ops/reshape";
import type { Backward, Rule } from "./rule";

export const matMul: Rule = ({ node, inputs }, [dy], b) => {
  const [x, w] = inputs as [string, string];
  const product = stacksOf(node, b.type(x).shape, b.type(w).shape);
  const { m, n, k } = product;
  let { left, right, stack } = product;
  // With one matrix on the right, every row on the left is a row of one product.
  if (countOf(right.slice(0, -2)) === 1) {
    left = [countOf([...stack, m]), k];
    right = [k, n];
    stack = [];
  }
  const gradient = seenAs(b, dy!, [...stack, left.at(-2)!, n]);
  if (b.wants(x)) {
    const full = b.write("MatMul", [gradient, transposed(b, seenAs(b, w, right))])[0];
    b.give(x, summed(b, full, left, b.type(x).shape));
  }
  if (b.wants(w)) {
    const full = b.write("MatMul", [transposed(b, seenAs(b, x, left)), gradient])[0];
    b.give(w, summed(b, full, right, b.type(w).shape));
  }
};

const seenAs = (b: Backward, value: string, shape: Shape): string =>
  sameShape(b.type(value).shape, shape) ? value : b.write("Reshape", [value], { shape, allowzero: 1 })[0];

/** The matrices of a stack, each with its last two dimensions exchanged. */
function transposed(b: Backward, value: string): string {
  const rank = b.type(value).shape.length;
  const perm = Array.from({ length: rank }, (_, axis) => axis);
  return b.write("Transpose", [value], { perm: [...perm.slice(0, -2), rank - 1, rank - 2] })[0];
}

/** The gradient of a stack, as the operand has it. */
function summed(b: Backward, full: string, stack: Shape, shape: Shape): string {
  const isWhole = sameShape(b.type(full).shape, stack);
  return seenAs(b, isWhole ? full : b.write("SumTo", [full], { shape: stack })[0], shape);
}
