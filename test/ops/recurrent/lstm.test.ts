import { constant, testOp } from "../test-op";
import { commonCases, lengths, operands, state } from "./cases";
import { forward } from "./reference";

const peepholes = constant([1, 18]);
const from = [-1, 1] as const;
const x = [4, 3, 5];

testOp("LSTM", {
  oracle: { forward },
  cases: [
    ...commonCases(4, 2),
    {
      what: "peepholes",
      gradient: "none",
      inputs: [...operands({ gates: 4 }), lengths(4, 4, 2), state(3, 6), state(3, 6), peepholes],
      outputs: 3,
      from,
    },
    { inputs: operands({ gates: 4 }), attributes: { input_forget: 1 }, outputs: 3, from },
    {
      inputs: operands({ gates: 4 }),
      attributes: { cell_clip: 0.25 },
      outputs: 3,
      from,
      exported: "refused",
    },
    {
      inputs: operands({ gates: 4 }),
      attributes: {
        activations: ["HardSigmoid", "LeakyRelu", "ScaledTanh"],
        activation_alpha: [0.3, 0.2, 0.9],
        activation_beta: [0.4, 0.8],
      },
      from,
    },
  ],
  infers: [
    [[["s", "n", 5], constant([1, 24, 5]), constant([1, 24, 6])], {}, "[s, 1, n, 6] [1, n, 6] [1, n, 6]", 3],
    [[["n", "s", 5], constant([1, 24, 5]), constant([1, 24, 6])], { layout: 1 }, "[n, s, 1, 6]"],
  ],
  refuses: [
    [[x, constant([1, 24, 4]), constant([1, 24, 6])], {}, "input 1 does not fit: expected f32 [1, 24, 5]"],
    [[x, constant([1, 24, 5]), constant([1, 24, 6])], { hidden_size: 5 }, "weights do not fit"],
    [[x, constant([1, 24, 5]), constant([1, 24, 6])], { direction: "up" }, "direction or layout is unknown"],
    [[x, constant([1, 24, 5]), constant([1, 24, 6])], { activations: ["Tanh"] }, "activations do not fit"],
    [
      [x, constant([1, 24, 5]), constant([1, 24, 6])],
      { activations: ["Tanh", "Tanh", "Swish"] },
      "an activation is unknown",
    ],
    [
      [x, constant([1, 24, 5]), constant([1, 24, 6])],
      { activations: ["Tanh", "Tanh", "Affine"] },
      "Affine is without its alpha or beta",
    ],
  ],
});
