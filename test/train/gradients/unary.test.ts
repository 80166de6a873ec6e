import { describe, test } from "vitest";
import { checkGradient, type Lies } from "./check-gradient";

/** Attributes and ranges: kinks are never met, as random numbers miss them. */
const CASES = [
  ["Abs", {}, [-2, 2]],
  ["Clip", { min: -0.5, max: 0.7 }, [-1, 1]],
  ["Clip", { max: 0.2 }, [-1, 1]],
  ["Elu", { alpha: 1.5 }, [-3, 3]],
  ["Elu", { alpha: -0.5 }, [-3, 3]],
  ["Erf", {}, [-2, 2]],
  ["Exp", {}, [-3, 3]],
  ["Gelu", {}, [-4, 4]],
  ["Gelu", { approximate: "tanh" }, [-4, 4]],
  ["HardSigmoid", { alpha: 0.3, beta: 0.4 }, [-4, 4]],
  ["HardSigmoid", {}, [-4, 4]],
  ["HardSwish", {}, [-5, 5]],
  ["LeakyRelu", { alpha: 0.1 }, [-2, 2]],
  ["LeakyRelu", { alpha: 0 }, [-2, 2]],
  ["LeakyRelu", { alpha: -0.4 }, [-2, 2]],
  ["Neg", {}, [-2, 2]],
  ["Relu", {}, [-2, 2]],
  ["Sigmoid", {}, [-6, 6]],
  ["Silu", {}, [-6, 6]],
  ["Sqrt", {}, [0.1, 3]],
  ["Tanh", {}, [-3, 3]],
] as const;

describe.each(CASES)("%s %j", (op, attributes, from) => {
  test.each([[[]], [[1]], [[3]], [[17]], [[2, 3, 5]]])("of [%s]", (shape) =>
    checkGradient({ op, attributes, inputs: [shape], from }));

  const lies: [Lies, Lies][] = [
    ["channelsLast", "channelsLast"],
    ["channelsLast", "plain"],
    ["plain", "channelsLast"],
  ];
  test.each(lies)("x %s, dy %s", (x, dy) =>
    checkGradient({ op, attributes, inputs: [[2, 3, 4, 5]], from, lies: x, dyLies: dy }));

  test.each([
    ["flat", "plain"],
    ["plain", "flat"],
    ["flat", "flat"],
  ] as [Lies, Lies][])("x %s, dy %s", (x, dy) =>
    checkGradient({ op, attributes, inputs: [[3, 12]], from, lies: x, dyLies: dy }));
});
