import { describe, expect, test } from "vitest";
import type { Graph } from "../../src/graph/graph";
import { MAX_DIM_LENGTH } from "../../src/graph/symbols";
import { type DType, tensor } from "../../src/graph/tensor";
import { toolkitOps as registry } from "../../src/ops/toolkit";
import { foldConstants } from "../../src/passes/constant-fold";
import { removeDead } from "../../src/passes/remove-dead";
import { MAX_FOLDED_BYTES } from "../../src/rewrite/room";
import { GraphBuilder } from "../graph-builder";
import { expectSameFunction, opsOf } from "./check-pass";

const fold = (graph: Graph) => removeDead(foldConstants(graph, registry));

/** A builder with one-line constants. */
class Builder extends GraphBuilder {
  list(name: string, values: readonly number[], dtype: DType = "i32"): string {
    return this.constant(name, tensor(dtype, [values.length], values));
  }
  scalar(name: string, value: number, dtype: DType = "i32"): string {
    return this.constant(name, tensor(dtype, [], [value]));
  }
}

describe("shape arithmetic of exporters", () => {
  test("view(x.size(0), -1): Shape → Gather → Unsqueeze → Concat → Reshape", () => {
    const b = new Builder();
    const x = b.input("x", ["batch", 4, 7, 7]);
    const shape = b.node("Shape", [x], "shape");
    const rows = b.node("Gather", [shape, b.scalar("zero", 0)], "rows", { axis: 0 });
    const axes = b.list("axes", [0]);
    const first = b.node("Unsqueeze", [rows, axes], "first");
    const wanted = b.node("Concat", [first, b.list("rest", [-1])], "wanted", { axis: 0 });
    b.node("Reshape", [x, wanted], "y");
    const graph = b.build("y");
    const folded = fold(graph);
    expect(folded.nodes).toMatchObject([
      { op: "Reshape", inputs: ["x"], attributes: { shape: ["batch", -1] } },
    ]);
    expect(folded.constants.size).toBe(0);
    expectSameFunction(graph, folded, "exact");
  });

  test("view(n * h, w): products of dimensions", () => {
    const b = new Builder();
    const x = b.input("x", ["batch", 6, "width"]);
    const shape = b.node("Shape", [x], "shape");
    const [n, h, w] = [0, 1, 2].map((i) => b.node("Gather", [shape, b.list(`at${i}`, [i])], `dim${i}`));
    const rows = b.node("Mul", [n!, h!], "rows");
    const half = b.node("Div", [rows, b.list("two", [2])], "half");
    const wanted = b.node("Concat", [half, b.list("pair", [2]), w!], "wanted", { axis: 0 });
    b.node("Reshape", [x, wanted], "y");
    const graph = b.build("y");
    expect(fold(graph).nodes).toMatchObject([{ attributes: { shape: ["3*batch", 2, "width"] } }]);
    expectSameFunction(graph, fold(graph), "exact");
  });

  test("expand(-1, …): ConstantOfShape, Mul, Equal, Where, Expand", () => {
    const b = new Builder();
    const x = b.input("x", ["batch", 3]);
    const shape = b.node("Shape", [x], "shape");
    const ones = b.node("ConstantOfShape", [b.list("rank", [2])], "ones", { dtype: "i32", value: 1 });
    const minus = b.node("Mul", [ones, b.scalar("minus", -1)], "minuses");
    const isOpen = b.node("Equal", [shape, minus], "open");
    const target = b.node("Where", [isOpen, ones, shape], "target");
    b.node("Expand", [b.input("row", [1, 3]), target], "y");
    const graph = b.build("y");
    expect(fold(graph).nodes).toMatchObject([{ op: "Expand", attributes: { shape: ["batch", 3] } }]);
  });

  test("Slice of a shape, and Slice by it", () => {
    const b = new Builder();
    const x = b.input("x", ["batch", 8, 5]);
    const shape = b.node("Shape", [x], "shape", { start: 1 });
    const size = b.node("ReduceProd", [shape, b.list("axes", [0])], "size", { keepdims: 1 });
    const quarter = b.node("Div", [size, b.list("four", [4])], "quarter");
    b.node("Slice", [x, b.list("from", [-quarterStart]), quarter, b.list("axis", [1])], "y");
    const graph = b.build("y");
    expect(fold(graph).nodes).toMatchObject([
      { op: "Slice", inputs: ["x"], attributes: { starts: [-quarterStart], ends: [10], axes: [1] } },
    ]);
    expectSameFunction(graph, fold(graph), "exact");
  });

  test("a shape that depends on data is bound where a run finds it", () => {
    const b = new Builder();
    b.node("Reshape", [b.input("x", ["batch", 4]), b.input("wanted", [2], "i32")], "y");
    expect(fold(b.build("y")).nodes).toMatchObject([
      {
        op: "Bind",
        inputs: ["wanted"],
        outputs: [],
        attributes: { found: ["wanted_0", "wanted_1"], of: ["batch", 4] },
      },
      { op: "Reshape", inputs: ["x"], attributes: { shape: ["wanted_0", "wanted_1"] } },
    ]);
  });

  test("axes that depend on data stay unknown, and say so", () => {
    const b = new Builder();
    b.node("Unsqueeze", [b.input("x", ["batch", 4]), b.input("wanted", [1], "i32")], "y");
    expect(() => fold(b.build("y"))).toThrow(
      'Unsqueeze "Unsqueeze_y": axes must be known before a run: expected a constant, or arithmetic over the shapes of inputs, got input "wanted", which a run computes',
    );
  });
});

/** Of the axis of 8 in the test above. */
const quarterStart = 5;

describe("constants", () => {
  test("floats are computed", () => {
    const b = new Builder();
    const sum = b.node("Add", [b.floats("p", [3, 4], 1), b.floats("q", [4], 1)], "sum");
    const turned = b.node("Transpose", [sum], "turned", { perm: [1, 0] });
    b.node("MatMul", [b.input("x", ["batch", 4]), turned], "y");
    const graph = b.build("y");
    const folded = fold(graph);
    expect(opsOf(folded)).toBe("MatMul");
    expect([...folded.constants.keys()]).toEqual(["turned"]);
    expectSameFunction(graph, folded, "exact");
  });

  test("a parameter that is one number becomes one, even where a file holds a list", () => {
    for (const shape of [[], [1]]) {
      const b = new Builder();
      const value = b.constant("value", tensor("f32", shape, [0.5]));
      b.node("Pad", [b.input("x", ["batch", 4]), b.list("pads", [0, 1, 0, 1]), value], "y");
      const attributes = { pads: [0, 1, 0, 1], value: 0.5 };
      expect(fold(b.build("y")).nodes).toMatchObject([{ inputs: ["x"], attributes }]);
    }
  });

  test("an input left out in the middle stays in its place", () => {
    const b = new Builder();
    const inputs = ["x", b.list("pads", [1, 1]), "", b.list("axes", [1])];
    b.input("x", ["batch", 4]);
    b.node("Pad", inputs, "y");
    const { nodes } = foldConstants(b.build("y"), registry);
    expect(nodes).toMatchObject([{ inputs: ["x"], attributes: { pads: [1, 1], axes: [1] } }]);
  });

  test("nothing larger than MAX_FOLDED_BYTES is made", () => {
    const b = new Builder();
    const side = Math.sqrt(MAX_FOLDED_BYTES / 4);
    const large = (name: string, more: number) =>
      b.node(
        "Expand",
        [b.floats(`${name}_value`, [1, 1], 1), b.list(`${name}_shape`, [side, side + more])],
        name,
      );
    b.node("Mul", [b.input("x", [1, 1]), large("huge", 1)], "y");
    expect(opsOf(fold(b.build("y")))).toBe("Expand Mul");
    const fits = new Builder();
    fits.node("Expand", [fits.floats("one", [1], 1), fits.list("shape", [MAX_FOLDED_BYTES / 4])], "y");
    expect(opsOf(fold(fits.build("y")))).toBe("");
  });

  test("a run computes what would take sizes that are too long, or too large, to tell", () => {
    for (const op of ["Max", "Min", "Mod", "Less", "Equal"]) {
      const b = new Builder();
      const x = b.input("x", ["m".repeat(MAX_DIM_LENGTH / 2), "n".repeat(MAX_DIM_LENGTH / 2)]);
      const shape = b.node("Shape", [x], "shape");
      const sizes = [0, 1].map((i) => b.node("Gather", [shape, b.list(`at_${i}`, [i])], `size_${i}`));
      b.node(op, sizes, "y");
      expect(opsOf(fold(b.build("y")))).toContain(op);
    }
    for (const [op, number] of [
      ["Mul", -3.4028234663852886e38],
      ["Add", -1e20],
    ] as const) {
      const b = new Builder();
      const shape = b.node("Shape", [b.input("x", ["n"])], "shape");
      const size = b.node("Cast", [shape], "size", { to: "f32" });
      b.node(op, [size, b.constant("far", tensor("f32", [1], [number]))], "y");
      expect(opsOf(fold(b.build("y")))).toContain(op);
    }
    const b = new Builder();
    const shape = b.node("Shape", [b.input("x", ["n"])], "shape");
    let size = b.node("Cast", [shape], "size", { to: "f32" });
    for (let i = 0; i < 16; i++) size = b.node("Mul", [size, size], `size_${i}`);
    expect(opsOf(fold(b.build(size)))).toContain("Mul");
  });

  test("a graph without anything to fold is returned as it is", () => {
    const b = new Builder();
    b.node("Relu", [b.input("x", ["batch", 4])], "y");
    const graph = b.build("y");
    expect(foldConstants(graph, registry)).toBe(graph);
  });
});
