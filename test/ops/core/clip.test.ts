// Clip between bounds that a run computes, against a loop.

import { describe, expect, test } from "vitest";
import { tensor } from "../../../src/graph/tensor";
import { toolkitOps } from "../../../src/ops/toolkit";
import { simplify } from "../../../src/passes/index";
import { expectSameBytes } from "../../check-model";
import { withModel } from "../../engine/engines";
import { GraphBuilder } from "../../graph-builder";
import { elementwise, testOp } from "../test-op";

testOp("Clip", { cases: elementwise({ attributes: { min: -0.5, max: 0.7 } }, { attributes: { max: 0.2 } }) });

const { NaN: nan, POSITIVE_INFINITY: inf } = Number;
const values = [-inf, -3, -1, -0.5, 0, 0.5, 1, 3, inf, nan];

describe("bounds that are computed", () => {
  test.each([
    [-1, 1],
    [1, -1],
    [-inf, 0.25],
    [0.25, undefined],
    [undefined, 0.25],
  ])("%s to %s", (lo, hi) => {
    for (const fixed of [[], ["lo"], ["hi"]])
      for (const shape of [[], [1]]) {
        const b = new GraphBuilder();
        const feeds: Record<string, ReturnType<typeof tensor>> = { x: tensor("f32", [2, 5], values) };
        const bound = (name: string, value: number | undefined) => {
          if (value === undefined) return "";
          const number = tensor("f32", shape, [value]);
          if (fixed.includes(name)) return b.constant(name, number);
          feeds[name] = number;
          return b.input(name, shape);
        };
        b.node("Clip", [b.input("x", [2, 5]), bound("lo", lo), bound("hi", hi)], "y");
        const expected = values.map((x) => {
          let y = x;
          if (lo !== undefined && y < lo) y = lo;
          if (hi !== undefined && y > hi) y = hi;
          return y;
        });
        withModel(simplify(b.build("y"), toolkitOps), {}, (model) =>
          expectSameBytes(model.runSync(feeds).y, tensor("f32", [2, 5], expected)),
        );
      }
  });

  test("of another shape or type are refused", () => {
    for (const [shape, dtype] of [
      [[5], "f32"],
      [[], "i32"],
    ] as const) {
      const b = new GraphBuilder();
      b.node("Clip", [b.input("x", [2, 5]), b.input("lo", shape, dtype)], "y");
      expect(() => simplify(b.build("y"), toolkitOps)).toThrow(/min does not fit: expected f32 \[\]/);
    }
  });
});
