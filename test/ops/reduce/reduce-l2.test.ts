import { expect, test } from "vitest";
import { tensor } from "../../../src/graph/tensor";
import { loadSync } from "../../../src/index";
import { GraphBuilder } from "../../graph-builder";
import { fed, testOp } from "../test-op";
import { constantAxes, farIntegers, floats, integers, reducing } from "./oracle";

testOp("ReduceL2", {
  oracle: reducing((all) => Math.sqrt(all.reduce((a, b) => a + b * b, 0))),
  cases: [...floats, ...integers, ...farIntegers(1000), constantAxes],
  refuses: [[[fed("u8", [2, 3])], { axes: [1] }, "element type does not fit: expected f32, i32, got u8"]],
});

const I32_MAX = 2 ** 31 - 1;
test.each<[what: string, values: readonly number[], root?: number]>([
  ["as large as there can be", [I32_MAX, 0, 0, 0], I32_MAX],
  ["whose fraction is beyond it", [I32_MAX, 60_000, 0, 0], I32_MAX],
  ["just too large", [I32_MAX, 65_536, 0, 0]],
  ["of the least number", [-(2 ** 31), 0, 0, 0]],
  ["whose sum is beyond 64 bits", new Array(4).fill(-(2 ** 31))],
])("ReduceL2 of i32, %s, is right or an error", (_, values, root) => {
  const b = new GraphBuilder();
  b.node("ReduceL2", [b.input("x", [2, 2], "i32")], "y", { keepdims: 0 });
  const run = () => loadSync(b.build("y")).runSync({ x: tensor("i32", [2, 2], values) }).y!.data[0];
  if (root !== undefined) expect(run()).toBe(root);
  else expect(run).toThrow(/rootOfSumsWide.* failed/);
});
