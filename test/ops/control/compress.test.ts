import { expect, test } from "vitest";
import { tensor } from "../../../src/graph/tensor";
import { toolkitOps } from "../../../src/ops/toolkit";
import { testActs } from "./test-acts";

const mask = (...values: number[]) => tensor("bool", [values.length], values);
const x = tensor("f32", [3, 2], [1, 2, 3, 4, 5, 6]);

testActs("Compress", "rows", { axis: 0 }, [
  { inputs: [x, mask(0, 1, 1)], outputs: [tensor("f32", [2, 2], [3, 4, 5, 6])] },
  { inputs: [x, mask(0, 0)], outputs: [tensor("f32", [0, 2], [])] },
]);
testActs("Compress", "columns of bytes", { axis: -1 }, [
  {
    inputs: [tensor("i8", [2, 3], [-1, 2, -3, 4, -5, 6]), mask(1, 0, 1)],
    outputs: [tensor("i8", [2, 2], [-1, -3, 4, 6])],
  },
]);
testActs("Compress", "elements", {}, [
  { inputs: [x, mask(0, 1, 0, 0, 1)], outputs: [tensor("f32", [2], [2, 5])] },
  { inputs: [x, mask(1)], outputs: [tensor("f32", [1], [1])] },
]);

test("a condition longer than the axis is refused", () => {
  const node = { op: "Compress", name: "n", inputs: [], outputs: ["y"], attributes: { axis: 0 } };
  const act = () => toolkitOps.Compress!.act!(node, [x, mask(0, 0, 0, 1)], undefined as never);
  expect(act).toThrow("condition is longer than what it picks from: expected at most 3, got 3");
});
