import { testOp } from "../test-op";

testOp("ConstantOfShape", {
  cases: [
    { inputs: [], attributes: { shape: [2, 3], dtype: "i32", value: 3 } },
    { inputs: [], attributes: { shape: [] } },
  ],
  gradient: "none",
  infers: [[[], { shape: ["batch", 2] }, "[batch, 2]"]],
  refuses: [[[], { shape: ["batch", -1] }, "a dimension is negative"]],
});
