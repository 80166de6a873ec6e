import { expect, test } from "vitest";
import { tensor } from "../../../src/graph/tensor";
import { toolkitOps } from "../../../src/ops/toolkit";

test("Dimensions is known over symbols, and numbers in a run", () => {
  const op = toolkitOps.Dimensions!;
  const node = {
    op: "Dimensions",
    name: "n",
    inputs: [],
    outputs: ["y"],
    attributes: { values: ["h", 3], shape: [2] },
  };
  expect(op.infer(node, [])).toEqual([{ dtype: "i32", shape: [2] }]);
  expect(op.evaluate!(node, [], [])).toEqual([{ dtype: "i32", shape: [2], data: ["h", 3] }]);
  const { outputs } = op.act!(
    { ...node, attributes: { ...node.attributes, values: [7, 3] } },
    [],
    undefined as never,
  );
  expect(outputs).toEqual([tensor("i32", [2], [7, 3])]);
});
