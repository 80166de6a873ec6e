import { testOp } from "../test-op";
import { oracleOf } from "./pairs";

const sum = oracleOf((a, b) => a + b);

testOp("Mean", {
  oracle: {
    operator: (node, inputs, bindings) => {
      const total = sum.operator!(node, inputs, bindings);
      if (!("data" in total)) throw new Error("one result");
      return { ...total, data: total.data.map((x) => x / inputs.length) };
    },
    forward: (node, inputs) =>
      sum.forward!(node, inputs).map(({ shape, data }) => ({
        shape,
        data: data.map((x) => x / inputs.length),
      })),
  },
  cases: [
    { inputs: [["batch", 17]] },
    { inputs: [["batch", 3, 4], [4]] },
    { inputs: [["batch", 3, 1], [4], ["batch", 1, 4]] },
    {
      inputs: [
        ["batch", 3, 4, 5],
        [3, 1, 1],
        ["batch", 3, 4, 5],
      ],
    },
    { inputs: [[], [3], [2, 1]] },
  ],
  refuses: [[[], {}, "input 0 is missing"]],
});
