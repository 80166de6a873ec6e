import { tensor } from "../../../src/graph/tensor";
import { type ActCase, testActs } from "./test-acts";

const corners = [0, 0, 1, 1, 0, 0.1, 1, 1.1, 0, -0.1, 1, 0.9, 0, 10, 1, 11, 0, 10.1, 1, 11.1, 0, 100, 1, 101];
const scores = [0.9, 0.75, 0.6, 0.95, 0.5, 0.3];

/** ONNX's example, with other limits. */
const picked = (
  most: number,
  overlap: number,
  least: number,
  boxes: readonly number[],
  expected: readonly number[],
): ActCase => ({
  inputs: [
    tensor("f32", [1, 6, 4], boxes),
    tensor("f32", [1, 1, 6], scores),
    tensor("i32", [1], [most]),
    tensor("f32", [1], [overlap]),
    tensor("f32", [1], [least]),
  ],
  outputs: [
    tensor(
      "i32",
      [expected.length, 3],
      expected.flatMap((box) => [0, 0, box]),
    ),
  ],
});
const flipped = corners.map((_, i) => corners[i - (i % 4) + ((i + 2) % 4)]!);
const centred = corners.map((_, i) => {
  const [y1, x1, y2, x2] = corners.slice(i - (i % 4), i - (i % 4) + 4) as [number, number, number, number];
  return [(x1 + x2) / 2, (y1 + y2) / 2, x2 - x1, y2 - y1][i % 4]!;
});

testActs("NonMaxSuppression", "corners", {}, [
  picked(3, 0.5, 0, corners, [3, 0, 5]),
  picked(3, 0.5, 0.4, corners, [3, 0]),
  picked(2, 0.5, 0, flipped, [3, 0]),
  picked(9, 1, 0, corners, [3, 0, 1, 2, 4, 5]),
  picked(0, 0.5, 0, corners, []),
  picked(3, 0.5, 2, corners, []),
]);
testActs("NonMaxSuppression", "centres and sizes", { center_point_box: 1 }, [
  picked(3, 0.5, 0, centred, [3, 0, 5]),
]);
testActs("NonMaxSuppression", "two batches of two classes", {}, [
  {
    inputs: [
      tensor("f32", [2, 2, 4], [0, 0, 1, 1, 0, 0, 1, 0.9, 0, 0, 1, 1, 5, 5, 6, 6]),
      tensor("f32", [2, 2, 2], [0.1, 0.2, 0.4, 0.3, 0.5, 0.6, 0.7, 0]),
      tensor("i32", [1], [2]),
      tensor("f32", [1], [0.5]),
      tensor("f32", [1], [0.05]),
    ],
    outputs: [tensor("i32", [5, 3], [0, 0, 1, 0, 1, 0, 1, 0, 1, 1, 0, 0, 1, 1, 0])],
  },
]);
