import { testOp } from "../test-op";

const image = ["batch", 5, 7, 6];

testOp("ArgMax", {
  cases: [
    { inputs: [image], attributes: { axis: 1, keepdims: 0 } },
    { inputs: [image], attributes: { axis: 3 } },
    { inputs: [["batch", 17]], attributes: { axis: -1, select_last_index: 1 } },
    { inputs: [["batch", 17]] },
  ],
  gradient: "none",
});
