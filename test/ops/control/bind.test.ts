import { expect, test } from "vitest";
import { tensor } from "../../../src/graph/tensor";
import { toolkitOps } from "../../../src/ops/toolkit";

const bind = toolkitOps.Bind!;
const node = { op: "Bind", name: "n", inputs: ["x"], outputs: [], attributes: {} };
const ints = (...values: number[]) => tensor("i32", [values.length], values);
const foundBy = (attributes: object, ...values: number[]) =>
  bind.act!({ ...node, attributes: { ...attributes } }, [ints(...values)], undefined as never).found;

test("Bind finds a symbol for each element, as it is or as a shape for those of another value", () => {
  expect(bind.finds!(node, [{ dtype: "i32", shape: [2, 2] }])).toBe(4);
  expect(foundBy({}, 3, -1, 0)).toEqual([3, -1, 0]);
  expect(foundBy({ of: [2, 3, 4] }, 0, -1)).toEqual([2, 12]);
  expect(() => foundBy({ of: [2, 3, 4] }, 5, -1)).toThrow("the number of elements changes");
  expect(() => bind.finds!(node, [{ dtype: "i32", shape: ["n"] }])).toThrow("must be known");
});
