import { bias, type OpCase, testOp, weights } from "../test-op";

/** Rows of k by weights [n, k] and a bias, which a Linear takes on. */
const gemm = (k: number, n: number, more: Partial<OpCase> = {}): OpCase => ({
  inputs: [["batch", k], weights([n, k]), bias(n)],
  attributes: { transB: 1 },
  simplified: true,
  ...more,
});

testOp("Gemm", {
  cases: [
    gemm(33, 17),
    gemm(20, 9, { fused: "Relu" }),
    gemm(24, 5, { what: "without a bias", inputs: [["batch", 24], weights([5, 24])] }),
    gemm(100, 10, { attributes: { transA: 0, transB: 1, alpha: 1, beta: 1 } }),
    gemm(6, 4, { attributes: { transB: 1, alpha: 0.5, beta: -2 } }),
    gemm(1, 1),
    gemm(20, 9, {
      what: "weights not transposed",
      inputs: [["batch", 20], weights([20, 9], 1), bias(9)],
      attributes: {},
    }),
  ],
  gradient: "none",
});
