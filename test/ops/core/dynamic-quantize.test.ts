import { testOp } from "../test-op";

testOp("DynamicQuantize", {
  cases: [
    { what: "by rows", inputs: [["batch", 17]], attributes: { axis: -1 }, outputs: 3 },
    { what: "by rows", inputs: [["batch", 3, 5]], attributes: { axis: -1 }, outputs: 3 },
    { what: "in all", inputs: [[3, 5]], outputs: 3 },
  ],
  onnx: ["DynamicQuantizeLinear"],
  gradient: "elsewhere",
  refuses: [[[[2, 3]], { axis: 0 }, "only rows of the last axis have ranges", 3]],
});
