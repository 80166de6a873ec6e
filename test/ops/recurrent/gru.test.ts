import { constant, testOp } from "../test-op";
import { commonCases, operands } from "./cases";
import { forward } from "./reference";

const from = [-1, 1] as const;

testOp("GRU", {
  oracle: { forward },
  cases: [
    ...commonCases(3, 1),
    { inputs: operands({ gates: 3 }), attributes: { linear_before_reset: 1 }, outputs: 2, from },
    {
      inputs: operands({ gates: 3, rows: 1, hidden: 17 }),
      attributes: { linear_before_reset: 1, direction: "reverse" },
      outputs: 2,
      from,
    },
    {
      inputs: operands({ gates: 3 }),
      attributes: {
        activations: ["HardSigmoid", "Affine"],
        activation_alpha: [0.3, 0.2],
        activation_beta: [0.4, 0.8],
      },
      from,
    },
  ],
  infers: [[[["s", "n", 5], constant([1, 18, 5]), constant([1, 18, 6])], {}, "[s, 1, n, 6] [1, n, 6]", 2]],
  refuses: [
    [
      [[4, 3, 5], constant([1, 18, 5]), constant([1, 18, 6]), constant([1, 18])],
      {},
      "input 3 does not fit: expected f32 [1, 36]",
    ],
  ],
});
