import { describe, expect, test } from "vitest";
import { checkGradient, type GradientCase, type Lies } from "./check-gradient";

const LIES: [Lies, Lies][] = [
  ["plain", "plain"],
  ["channelsLast", "channelsLast"],
  ["channelsLast", "plain"],
  ["plain", "channelsLast"],
];

const check = (
  op: GradientCase["op"],
  inputs: GradientCase["inputs"],
  attributes: GradientCase["attributes"] = {},
  rest: Partial<GradientCase> = {},
) => checkGradient({ op, inputs, attributes, ...rest });

describe("the same elements in another shape", () => {
  test.each([
    [
      [2, 3, 4],
      [4, 6],
    ],
    [[2, 3, 4], [-1]],
    [[1], []],
    [[17], [1, 17, 1]],
    [
      [2, 3, 4, 5],
      [0, 12, 5],
    ],
  ])("Reshape of [%s] to [%s]", (from, shape) => check("Reshape", [from], { shape }));

  test("Flatten, Squeeze, Unsqueeze, Identity, Dropout", () => {
    check("Flatten", [[2, 3, 4]], { axis: 2 });
    check("Flatten", [[2, 3, 4]], { axis: 0 });
    check("Squeeze", [[2, 1, 4, 1]], { axes: [1] });
    check("Squeeze", [[2, 1, 4, 1]]);
    check("Unsqueeze", [[3, 5]], { axes: [0, -1] });
    check("Identity", [[3, 5]]);
    check("Dropout", [[3, 5]]);
  });

  test.each(["plain", "channelsLast"] as const)("an image that is flattened, x %s", (lies) => {
    check("Flatten", [[2, 3, 4, 5]], {}, { lies });
    check("Reshape", [[2, 3, 2, 2]], { shape: [2, 12] }, { lies, dyLies: "flat" });
    check("Squeeze", [[2, 3, 1, 1]], { axes: [2, 3] }, { lies });
  });
});

describe("Transpose", () => {
  test.each([
    [[3, 5], undefined],
    [[2, 3, 4], undefined],
    [
      [2, 3, 4],
      [1, 2, 0],
    ],
    [
      [2, 3, 4, 5],
      [0, 2, 1, 3],
    ],
    [
      [2, 3, 4, 5],
      [3, 1, 0, 2],
    ],
  ])("[%s] by %j", (shape, perm) => check("Transpose", [shape], perm ? { perm } : {}));

  test.each(LIES)("of an image, x %s, dy %s", (lies, dyLies) => {
    for (const perm of [
      [0, 2, 3, 1],
      [0, 3, 1, 2],
    ])
      check("Transpose", [[2, 3, 4, 5]], { perm }, { lies, dyLies });
  });
});

describe("Expand", () => {
  test.each([
    [[], [3]],
    [[1], [17]],
    [[5], [3, 5]],
    [
      [3, 1],
      [3, 5],
    ],
    [
      [3, 1],
      [2, 1, 4],
    ],
    [
      [1, 3, 1, 4],
      [2, 3, 5, 4],
    ],
    [
      [3, 5],
      [3, 1],
    ],
  ])("[%s] to [%s]", (from, shape) => check("Expand", [from], { shape }));
});

describe("Concat", () => {
  test.each([
    [0, [[3], [1], [17]]],
    [
      1,
      [
        [2, 3],
        [2, 4],
      ],
    ],
    [
      -1,
      [
        [2, 3, 1],
        [2, 3, 5],
      ],
    ],
    [0, [[3, 5]]],
  ])("along %i of %j", (axis, inputs) => {
    check("Concat", inputs, { axis });
    check("Concat", inputs, { axis }, { wanted: [inputs.length - 1] });
  });

  test.each(LIES)("of images, x %s, dy %s", (lies, dyLies) => {
    const inputs = [
      [2, 3, 4, 5],
      [2, 2, 4, 5],
    ];
    check("Concat", inputs, { axis: 1 }, { lies, dyLies });
    check("Concat", [inputs[0]!, inputs[0]!], { axis: 2 }, { lies, dyLies });
  });
});

describe("Split", () => {
  test.each([
    [[6], { axis: 0 }, 3],
    [[7, 2], { axis: 0, split: [3, 4] }, 2],
    [[2, 5], { axis: -1, num_outputs: 2 }, 2],
    [[2, 5, 3], { axis: 1, split: [1, 1, 3] }, 3],
  ])("[%s] by %j", (shape, attributes, outputs) => {
    check("Split", [shape], attributes, { outputs });
    check("Split", [shape], attributes, { outputs, used: [0] });
    check("Split", [shape], attributes, { outputs, used: outputs > 2 ? [0, 2] : [1] });
  });

  test.each(LIES)("of an image, x %s, dy %s", (lies, dyLies) => {
    check("Split", [[2, 4, 3, 5]], { axis: 1 }, { outputs: 2, lies, dyLies });
    check("Split", [[2, 4, 3, 5]], { axis: 1 }, { outputs: 2, lies, dyLies, used: [1] });
  });
});

describe("Slice", () => {
  test.each([
    [[17], { starts: [3], ends: [9] }],
    [[17], { starts: [-2], ends: [99] }],
    [[17], { starts: [1], ends: [16], steps: [3] }],
    [[17], { starts: [15], ends: [-99], steps: [-2] }],
    [[3, 5], { starts: [1], ends: [4], axes: [1] }],
    [[3, 5, 4], { starts: [0, 1], ends: [2, 4], axes: [0, 2], steps: [1, 2] }],
    [[3, 5], { starts: [0], ends: [3] }],
    [[3, 5], { starts: [2], ends: [2] }],
  ])("[%s] by %j", (shape, attributes) => check("Slice", [shape], attributes));

  test.each(LIES)("of an image, x %s, dy %s", (lies, dyLies) => {
    check("Slice", [[2, 5, 4, 3]], { starts: [1], ends: [4], axes: [1] }, { lies, dyLies });
    check(
      "Slice",
      [[2, 5, 4, 3]],
      { starts: [3, 0], ends: [-9, 3], axes: [2, 3], steps: [-1, 2] },
      { lies, dyLies },
    );
  });
});

describe("Pad", () => {
  test.each([
    ["constant", [17], [2, 3]],
    ["constant", [17], [-2, 3]],
    ["constant", [3, 5], [0, 1, 2, 0]],
    ["constant", [3, 5], [0, 0, 0, 0]],
    ["edge", [5], [2, 3]],
    ["edge", [5], [0, 3]],
    ["edge", [3, 5], [1, 2, 3, 0]],
    ["edge", [3, 5], [-1, 2, 1, -2]],
    ["reflect", [5], [2, 4]],
    ["reflect", [5], [4, 0]],
    ["reflect", [3, 5], [1, 2, 2, 1]],
    ["reflect", [4, 5], [-1, 2, 2, 0]],
    ["wrap", [5], [2, 3]],
    ["wrap", [3, 5], [1, 0, 3, 5]],
  ])("%s [%s] by [%s]", (mode, shape, pads) => check("Pad", [shape], { mode, pads, value: 0.5 }));

  test.each(LIES)("of an image, x %s, dy %s", (lies, dyLies) => {
    for (const mode of ["constant", "edge", "reflect", "wrap"])
      check("Pad", [[2, 3, 4, 5]], { mode, pads: [0, 0, 1, 2, 0, 0, 3, 1] }, { lies, dyLies });
  });
});

describe("Resize", () => {
  const nearest = { coordinate_transformation_mode: "asymmetric", nearest_mode: "floor" };
  test.each(LIES)("of an image, x %s, dy %s", (lies, dyLies) => {
    check("Resize", [[2, 3, 4, 5]], { ...nearest, scales: [1, 1, 2, 3] }, { lies, dyLies });
    check("Resize", [[2, 3, 5]], { ...nearest, scales: [1, 1, 4] }, { lies, dyLies });
    check("Resize", [[2, 3, 2, 3]], { ...nearest, sizes: [2, 3, 6, 3] }, { lies, dyLies });
  });

  test("of what is no image", () => {
    check("Resize", [[3, 5]], { ...nearest, scales: [2, 3] });
    check("Resize", [[7]], { ...nearest, scales: [3] });
    check("Resize", [[2, 3, 4]], { ...nearest, scales: [1, 2, 1] });
  });
});

test("a rule that gives a gradient of another shape is found out", () => {
  expect(() => check("Reshape", [[2, 3]], { shape: [7] })).toThrow("the number of elements changes");
});
