// The two operands of Gemm, MatMul and Linear brought to one form: rows of both are contiguous along the summed dimension.

import type { Node } from "../../src/graph/graph";
import { sizeOf, type Tensor, type TypedArray } from "../../src/graph/tensor";
import { fail, numberAttribute } from "./node";
import { broadcastShapes, broadcastStrides, pick, stridesOf } from "./view";

export interface Product {
  readonly shape: readonly number[];
  readonly batches: number;
  readonly m: number;
  readonly n: number;
  readonly k: number;
  /** [batches][m][k] */
  readonly a: TypedArray;
  /** [batches][n][k] */
  readonly b: TypedArray;
}

export const productOf = (node: Node, a: Tensor, b: Tensor): Product =>
  node.op === "Gemm"
    ? gemmProduct(node, a, b)
    : node.op === "Linear"
      ? linearProduct(node, a, b)
      : matmulProduct(node, a, b);

const transposed = (x: Tensor): Tensor => pick(x, [x.shape[1]!, x.shape[0]!], [1, x.shape[1]!]);

function gemmProduct(node: Node, a: Tensor, b: Tensor): Product {
  if (a.shape.length !== 2 || b.shape.length !== 2) fail(node, "both operands have two dimensions");
  const left = numberAttribute(node, "transA", 0) ? transposed(a) : a;
  const right = numberAttribute(node, "transB", 0) ? b : transposed(b);
  const [m, k, n] = [left.shape[0]!, left.shape[1]!, right.shape[0]!];
  if (right.shape[1] !== k) fail(node, `inner sizes differ: ${k} and ${right.shape[1]}`);
  return { shape: [m, n], batches: 1, m, n, k, a: left.data, b: right.data };
}

/** Rows of any leading dimensions, and weights [n, k]. */
function linearProduct(node: Node, a: Tensor, b: Tensor): Product {
  const [n, k] = b.shape as [number, number];
  if (b.shape.length !== 2 || a.shape.at(-1) !== k) fail(node, `weights are [n, ${a.shape.at(-1)}]`);
  const leading = a.shape.slice(0, -1);
  return { shape: [...leading, n], batches: 1, m: sizeOf(leading), n, k, a: a.data, b: b.data };
}

/** numpy.matmul: a vector is a row on the left and a column on the right, leading dimensions broadcast. */
function matmulProduct(node: Node, a: Tensor, b: Tensor): Product {
  const left = a.shape.length === 1 ? [1, ...a.shape] : a.shape;
  const right = b.shape.length === 1 ? [...b.shape, 1] : b.shape;
  const [k, n] = [right.at(-2)!, right.at(-1)!];
  if (left.at(-1) !== k) fail(node, `inner sizes differ: ${left.at(-1)} and ${k}`);
  const leading = broadcastShapes(left.slice(0, -2), right.slice(0, -2));
  const rows = left.at(-2)!;
  const shape = [...leading, ...(a.shape.length === 1 ? [] : [rows]), ...(b.shape.length === 1 ? [] : [n])];
  // With one right operand for all, every row of the left one is a row of one product.
  if (right.length === 2) {
    const m = sizeOf(left.slice(0, -1));
    const columns = transposed({ ...b, shape: right });
    return { shape, batches: 1, m, n, k, a: a.data, b: columns.data };
  }
  const strides = stridesOf(right);
  const columns = pick(
    { ...b, shape: right },
    [...right.slice(0, -2), n, k],
    [...strides.slice(0, -2), strides.at(-1)!, strides.at(-2)!],
  );
  const spread = (x: Tensor): TypedArray => {
    const to = [...leading, ...x.shape.slice(-2)];
    return pick(x, to, broadcastStrides(x.shape, to)).data;
  };
  return {
    shape,
    batches: sizeOf(leading),
    m: rows,
    n,
    k,
    a: spread({ ...a, shape: left }),
    b: spread(columns),
  };
}
