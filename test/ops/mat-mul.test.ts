import { type OpCase, testOp, weights } from "./test-op";

/** Two values that a run computes. */
const computed = (a: OpCase["inputs"][0], b: OpCase["inputs"][0], more: Partial<OpCase> = {}): OpCase => ({
  inputs: [a, b],
  forms: [],
  ...more,
});
/** Rows by constant weights. */
const dense = (k: number, n: number, more: Partial<OpCase> = {}): OpCase => ({
  inputs: [["batch", k], weights([k, n], 1)],
  ...more,
});

testOp("MatMul", {
  cases: [
    dense(31, 3),
    dense(31, 3, { fused: "Relu" }),
    dense(500, 3, { what: "of extremes", inputs: [["batch", 500], weights([500, 3], 1, true)] }),
    dense(9, 5, { inputs: [["batch", 7, 9], weights([9, 5], 1)] }),
    computed(["batch", 3, 7, 9], ["batch", 3, 9, 5]),
    computed(["batch", 3, 7, 9], ["batch", 3, 9, 5], { fused: "Relu" }),
    computed(["batch", 7, 9], [9, 5]),
    computed([2, 1, 7, 9], [1, 3, 9, 5]),
    computed([1, 1], [1, 1]),
    computed([3, 4], [4, 17]),
    computed(["batch", 3, 4], [1, 4, 5]),
    computed(["batch", 3, 4], ["batch", 4, 5]),
    computed([3, 4], [2, 4, 5]),
    computed([17, 9], [9, 3]),
    computed([2, 3, 4], [4, 5]),
    computed([2, 3, 4, 5], [2, 3, 5, 6]),
    computed([2, 1, 4, 5], [1, 3, 5, 6]),
    computed([2, 3, 4], [4]),
    computed([2, 3, 4, 5], [3, 5, 6]),
    computed([2, 3, 4, 5], [2, 1, 5, 6]),
    computed([4], [4]),
    computed([4], [4, 3]),
    computed([4], [2, 4, 3]),
    computed([3, 4], [4]),
    computed(["batch", 3, 4], [4]),
  ],
  onnx: ["MatMul", "MatMulInteger", "QLinearMatMul"],
});
