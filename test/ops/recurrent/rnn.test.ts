import { constant, type OpCase, testOp } from "../test-op";
import { commonCases, operands } from "./cases";
import { forward } from "./reference";

const from = [-1, 1] as const;
const through = (
  activation: string,
  alpha: readonly number[] = [],
  beta: readonly number[] = [],
): OpCase => ({
  inputs: operands({ gates: 1 }),
  attributes: { activations: [activation], activation_alpha: alpha, activation_beta: beta },
  from,
});

testOp("RNN", {
  oracle: { forward },
  cases: [
    ...commonCases(1, 1),
    through("Relu"),
    through("Sigmoid"),
    through("Softsign"),
    through("Softplus"),
    through("Elu", [0.7]),
    through("LeakyRelu", [0.2]),
    through("ThresholdedRelu", [0.3]),
    through("Affine", [0.4], [0.1]),
    through("ScaledTanh", [0.7], [0.6]),
    through("HardSigmoid", [0.3], [0.4]),
    through("HardSigmoid"),
  ],
  infers: [[[["s", "n", 5], constant([1, 6, 5]), constant([1, 6, 6])], {}, "[s, 1, n, 6] [1, n, 6]", 2]],
  refuses: [
    [[[4, 5], constant([1, 6, 5]), constant([1, 6, 6])], {}, "input or recurrent weights do not fit"],
  ],
});
