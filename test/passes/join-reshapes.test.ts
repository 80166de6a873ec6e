import { describe, expect, test } from "vitest";
import type { Node } from "../../src/graph/graph";
import { toolkitOps } from "../../src/ops/toolkit";
import { joinReshapes } from "../../src/passes/join-reshapes";
import { removeDead } from "../../src/passes/remove-dead";
import { type Attributes, GraphBuilder } from "../graph-builder";
import { expectSameFunction, opsOf } from "./check-pass";

/** x [batch, 3, 4, 1] → these ops → relu. */
function chain(...ops: readonly [string, Attributes][]) {
  const b = new GraphBuilder();
  let value = b.node("Sigmoid", [b.input("x", ["batch", 3, 4, 1])], "first");
  for (const [i, [op, attributes]] of ops.entries()) value = b.node(op, [value], `v${i}`, attributes);
  return b.build(b.node("Relu", [value], "y"));
}

const cases: Record<string, [readonly [string, Attributes][], Partial<Node>[]]> = {
  "Reshape to rows is Flatten": [
    [["Reshape", { shape: [-1, 12], allowzero: 1 }]],
    [{ op: "Flatten", attributes: { axis: 1 } }],
  ],
  "Reshape of 0 and −1 is written out": [
    [["Reshape", { shape: [0, 2, -1] }]],
    [{ op: "Reshape", attributes: { shape: ["batch", 2, 6] } }],
  ],
  "a Flatten that is none": [
    [["Flatten", { axis: 2 }]],
    [{ op: "Reshape", attributes: { shape: ["3*batch", 4] } }],
  ],
  "two in a row": [
    [
      ["Squeeze", { axes: [3] }],
      ["Reshape", { shape: [0, -1] }],
    ],
    [{ op: "Flatten", attributes: { axis: 1 } }],
  ],
  "there and back": [
    [
      ["Unsqueeze", { axes: [0] }],
      ["Flatten", { axis: 3 }],
      ["Reshape", { shape: ["batch", 3, 4, 1] }],
    ],
    [],
  ],
  "one Squeeze stays": [[["Squeeze", { axes: [3] }]], [{ op: "Squeeze" }]],
};

describe("ops that only change the shape", () => {
  for (const [name, [ops, expected]] of Object.entries(cases))
    test(name, () => {
      const graph = chain(...ops);
      const result = removeDead(joinReshapes(graph, toolkitOps));
      expect(result.nodes.slice(1, -1)).toMatchObject(expected);
      expectSameFunction(graph, result, "exact");
      expect(joinReshapes(result, toolkitOps)).toBe(result);
    });

  test("names of outputs stay", () => {
    const b = new GraphBuilder();
    const value = b.node("Relu", [b.input("x", ["batch", 4])], "inner");
    const graph = b.build(b.node("Reshape", [value], "y", { shape: [-1, 4] }));
    const result = joinReshapes(graph, toolkitOps);
    expect(opsOf(result)).toBe("Relu");
    expectSameFunction(graph, result, "exact");
  });
});

describe("Softmax between reshapes, as before opset 13", () => {
  test.for([
    { axis: 2, ops: "Softmax" },
    { axis: 1, ops: "Flatten Softmax Reshape" },
  ])("over [batch, 3, 4] from axis $axis", ({ axis, ops }) => {
    const b = new GraphBuilder();
    const flat = b.node("Flatten", [b.input("x", ["batch", 3, 4])], "flat", { axis });
    const rows = b.node("Softmax", [flat], "rows", { axis: -1 });
    b.node("Reshape", [rows], "y", { shape: ["batch", 3, 4] });
    const graph = b.build("y");
    const result = removeDead(joinReshapes(graph, toolkitOps));
    expect(opsOf(result)).toBe(ops);
    expectSameFunction(graph, result, "exact");
  });

  test("whose result is reshaped again, twice", () => {
    const b = new GraphBuilder();
    const flat = b.node("Reshape", [b.input("x", ["batch", 3, 4])], "flat", { shape: [-1, 4] });
    const rows = b.node("Softmax", [flat], "rows", { axis: -1 });
    const whole = b.node("Reshape", [rows], "whole", { shape: ["batch", 3, 4] });
    const again = b.node("Reshape", [whole], "again", { shape: [-1, 4] });
    const last = b.node("Tanh", [again], "last");
    const twice = b.node("Reshape", [again], "twice", { shape: ["batch", 12] });
    const graph = b.build(last, twice);
    const result = removeDead(joinReshapes(graph, toolkitOps));
    expect(opsOf(result)).toBe("Softmax Reshape Tanh Flatten");
    expectSameFunction(graph, result, "exact");
  });
});
