import { describe, test } from "vitest";
import { checkGradient, type Lies } from "./check-gradient";

const OPS = ["Add", "Sub", "Mul", "Div"] as const;

/** Broadcast in each direction: nothing, scalars, vectors, rows, columns, both sides at once. */
const SHAPES = [
  [[], []],
  [[1], [1]],
  [[17], [17]],
  [[3, 5], [5]],
  [[5], [3, 5]],
  [[3, 5], []],
  [[], [3, 5]],
  [
    [3, 5],
    [3, 1],
  ],
  [
    [3, 1],
    [1, 5],
  ],
  [
    [2, 3, 4, 5],
    [3, 1, 1],
  ],
  [
    [1, 3, 1, 1],
    [2, 3, 4, 5],
  ],
  [
    [2, 3, 4, 5],
    [2, 1, 4, 5],
  ],
  [
    [2, 33, 3],
    [2, 1, 3],
  ],
  [[4, 33], [33]],
  [
    [2, 3, 4],
    [2, 1, 4],
  ],
  [
    [2, 1, 4],
    [1, 3, 1],
  ],
] as const;

/** Away from 0 for quotients. */
const from = [0.5, 2] as const;

describe.each(OPS)("%s", (op) => {
  test.each(SHAPES)("[%s] and [%s]", (a, b) => {
    checkGradient({ op, inputs: [a, b], from });
    checkGradient({ op, inputs: [a, b], from, wanted: [0] });
    checkGradient({ op, inputs: [a, b], from, wanted: [1] });
  });

  test.each([
    ["channelsLast", "channelsLast"],
    ["channelsLast", "plain"],
    ["plain", "channelsLast"],
  ] as [Lies, Lies][])("of images, x %s, dy %s", (lies, dyLies) => {
    for (const other of [
      [2, 3, 4, 5],
      [1, 3, 1, 1],
      [2, 3, 1, 1],
      [2, 1, 4, 5],
      [1, 1, 1, 1],
      [1, 1, 4, 5],
    ])
      checkGradient({ op, inputs: [[2, 3, 4, 5], other], from, lies, dyLies });
  });

  test("flattened images", () =>
    checkGradient({
      op,
      inputs: [
        [2, 12],
        [2, 12],
      ],
      from,
      lies: "flat",
      dyLies: "flat",
    }));

  test.each(["Relu", "Clip"] as const)("with a %s fused behind it", (activation) => {
    const inputs = [[3, 17], [17]];
    checkGradient({ op, inputs, from: [-0.9, 1], activation });
  });
});
