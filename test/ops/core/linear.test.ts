import { bias, type OpCase, testOp, weights } from "../test-op";

/** Rows of k by weights [n, k] and a bias. */
const linear = (k: number, n: number, more: Partial<OpCase> = {}): OpCase => ({
  inputs: [["batch", k], weights([n, k]), bias(n)],
  ...more,
});
/** Without a bias. */
const product = (k: number, n: number, more: Partial<OpCase> = {}): OpCase =>
  linear(k, n, { inputs: [["batch", k], weights([n, k])], ...more });

testOp("Linear", {
  cases: [
    linear(33, 17),
    linear(20, 12),
    linear(20, 9, { fused: "Relu" }),
    linear(64, 10, { fused: "Clip" }),
    linear(1, 1),
    linear(9, 5, { inputs: [["batch", 7, 9], weights([5, 9]), bias(5)] }),
    linear(6, 4, { inputs: [["batch", 2, 3, 6], weights([4, 6]), bias(4)], fused: "Relu" }),
    product(24, 5),
    product(31, 3, { fused: "Relu" }),
    product(500, 3, { what: "of extremes", inputs: [["batch", 500], weights([3, 500], 0, true)] }),
    product(9, 5, { inputs: [["batch", 7, 9], weights([5, 9])] }),
    product(5, 3, { what: "of one row", inputs: [[5], weights([3, 5])], forms: ["u8", "i8"] }),
  ],
  onnx: ["Gemm", "MatMul", "MatMulInteger", "QLinearMatMul"],
  refuses: [
    [[[2, 3], weights([4, 5])], {}, "inner sizes differ"],
    [[[2, 3], weights([4, 3]), bias(3)], {}, "the bias must be one row"],
  ],
});
