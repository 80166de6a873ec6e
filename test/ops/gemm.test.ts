import { bias, type OpCase, testOp, weights } from "./test-op";

/** Rows of k by weights [n, k] and a bias. */
const gemm = (k: number, n: number, more: Partial<OpCase> = {}): OpCase => ({
  inputs: [["batch", k], weights([n, k]), bias(n)],
  attributes: { transB: 1 },
  ...more,
});
/** By weights [k, n]. */
const notTransposed = (k: number, n: number, more: Partial<OpCase> = {}): OpCase =>
  gemm(k, n, { inputs: [["batch", k], weights([k, n], 1), bias(n)], attributes: {}, ...more });

testOp("Gemm", {
  cases: [
    gemm(33, 17),
    gemm(20, 9, { fused: "Relu" }),
    gemm(64, 10, { fused: "Clip" }),
    gemm(24, 5, { what: "without a bias", inputs: [["batch", 24], weights([5, 24])] }),
    gemm(100, 10, { attributes: { transA: 0, transB: 1, alpha: 1, beta: 1 } }),
    gemm(1, 1),
    notTransposed(20, 9),
    notTransposed(33, 17, { fused: "Relu" }),
    notTransposed(3, 4, {
      what: "without a bias",
      inputs: [["batch", 3], weights([3, 4], 1)],
      fused: "Clip",
    }),
  ],
});
