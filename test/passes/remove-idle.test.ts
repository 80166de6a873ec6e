import { describe, expect, test } from "vitest";
import { toolkitOps } from "../../src/ops/toolkit";
import { removeIdle } from "../../src/passes/remove-idle";
import { type Attributes, GraphBuilder } from "../graph-builder";
import { expectSameFunction, opsOf } from "./check-pass";

const idle: Record<string, Attributes> = {
  Identity: {},
  Dropout: {},
  Cast: { to: "f32" },
  Concat: { axis: 1 },
  Expand: { shape: [1, 4] },
  Pad: { pads: [0, 0, 0, 0] },
  Slice: { starts: [0], ends: [9], axes: [1] },
  Split: { axis: 1 },
  Transpose: { perm: [0, 1] },
};

/** relu → op → relu, with the relus left out where `ends` says so. */
function chain(op: string, attributes: Attributes, ends: "inner" | "output" | "both" = "inner") {
  const b = new GraphBuilder();
  const x = b.input("x", ["batch", 4]);
  const before = ends === "both" ? x : b.node("Relu", [x], "before");
  const value = b.node(op, [before], "value", attributes);
  return b.build(ends === "inner" ? b.node("Sigmoid", [value], "y") : value);
}

describe("gives back its input", () => {
  for (const [op, attributes] of Object.entries(idle)) {
    test(`${op} between nodes`, () => {
      const graph = chain(op, attributes);
      const result = removeIdle(graph, toolkitOps);
      expect(opsOf(result)).toBe("Relu Sigmoid");
      expectSameFunction(graph, result, "exact");
    });
    test(`${op} that makes an output: the name stays`, () => {
      const graph = chain(op, attributes, "output");
      const result = removeIdle(graph, toolkitOps);
      expect(opsOf(result)).toBe("Relu");
      expectSameFunction(graph, result, "exact");
    });
  }
  test("a chain of them", () => {
    const b = new GraphBuilder();
    let value = b.node("Relu", [b.input("x", ["batch", 4])], "start");
    for (const [op, attributes] of Object.entries(idle))
      value = b.node(op, [value], `${op}_value`, attributes);
    const graph = b.build(value);
    let result = graph;
    for (let round = 0; round < Object.keys(idle).length; round++) result = removeIdle(result, toolkitOps);
    expect(opsOf(result)).toBe("Relu");
    expectSameFunction(graph, result, "exact");
  });
});

const busy: Record<string, Attributes> = {
  Pad: { pads: [0, 1, 0, -1] },
  Slice: { starts: [-1], ends: [-9], axes: [1], steps: [-1] },
};

describe("stays", () => {
  for (const [op, attributes] of Object.entries(busy))
    test(`${op} that moves something`, () => {
      const graph = chain(op, attributes);
      expect(removeIdle(graph, toolkitOps)).toBe(graph);
    });
  test("Identity between an input and an output", () => {
    const graph = chain("Identity", {}, "both");
    expect(removeIdle(graph, toolkitOps)).toBe(graph);
  });
  test("Identity between two outputs", () => {
    const b = new GraphBuilder();
    const value = b.node("Relu", [b.input("x", ["batch", 4])], "a");
    const graph = b.build(value, b.node("Identity", [value], "b"));
    expect(removeIdle(graph, toolkitOps)).toBe(graph);
  });
});
