// Sizes that only a run finds: parameters that are computed, and counts of what is in the data.

import { describe, expect, test } from "vitest";
import { OctetteError } from "../../src/errors";
import { type Tensor, tensor } from "../../src/graph/tensor";
import { load, save } from "../../src/index";
import { toolkitOps as registry } from "../../src/ops/toolkit";
import { simplify } from "../../src/passes/index";
import { expectSameBytes } from "../check-model";
import { GraphBuilder } from "../graph-builder";
import { withModel } from "./engines";

const ints = (...values: number[]): Tensor => tensor("i32", [values.length], values);
const counting = (shape: readonly number[]): Tensor =>
  tensor(
    "f32",
    shape,
    Array.from({ length: shape.reduce((a, b) => a * b, 1) }, (_, i) => i),
  );

describe("parameters that a run computes", () => {
  test("Reshape by fed shapes, one plan after another", () => {
    const b = new GraphBuilder();
    const x = b.input("x", [24]);
    const shape = b.input("shape", [3], "i32");
    b.node("Relu", [b.node("Reshape", [x, shape], "y")], "z");
    withModel(simplify(b.build("z"), registry), {}, (model) => {
      for (const [fed, is] of [
        [
          [2, 3, 4],
          [2, 3, 4],
        ],
        [
          [4, -1, 2],
          [4, 3, 2],
        ],
        [
          [24, 1, 1],
          [24, 1, 1],
        ],
        [
          [2, 3, 4],
          [2, 3, 4],
        ],
      ] as const) {
        const { z } = model.runSync({ x: counting([24]), shape: ints(...fed) });
        expectSameBytes(z, { ...counting(is), data: counting([24]).data });
      }
      expect(() => model.runSync({ x: counting([24]), shape: ints(5, 5, 5) })).toThrow(/number of elements/);
      expect(model.runSync({ x: counting([24]), shape: ints(3, 8, 1) }).z!.shape).toEqual([3, 8, 1]);
    });
  });

  test("values after a found size are tapped from the first run on", () => {
    const b = new GraphBuilder();
    const x = b.input("x", [24]);
    const root = b.node("Cast", [b.node("Sqrt", [b.input("square", [2])], "root")], "sizes", { to: "i32" });
    b.node("Relu", [b.node("Neg", [b.node("Reshape", [x, root], "y")], "negated")], "z");
    withModel(simplify(b.build("z"), registry), { taps: ["negated"] }, (model) => {
      model.runSync({ x: counting([24]), square: tensor("f32", [2], [16, 36]) });
      expect(model.tapped("negated").shape).toEqual([4, 6]);
      expect(Array.from(model.tapped("negated").data)).toEqual(Array.from(counting([24]).data, (v) => -v));
    });
  });

  test("Slice between fed bounds, of a product", () => {
    const b = new GraphBuilder();
    const x = b.input("x", ["n", 8]);
    const [starts, ends] = [b.input("starts", [1], "i32"), b.input("ends", [1], "i32")];
    const cut = b.node("Slice", [x, starts, ends, b.constant("axes", ints(0))], "cut");
    b.node("Add", [cut, b.floats("bias", [8], 1)], "y");
    const graph = simplify(b.build("y"), registry);
    withModel(graph, {}, (model) => {
      const bias = graph.constants.get("bias")!.data;
      for (const [n, from, to] of [
        [5, 1, 4],
        [9, -3, 100],
        [9, 2, -2],
        [4, 3, 2],
      ] as const) {
        const { y } = model.runSync({ x: counting([n, 8]), starts: ints(from), ends: ints(to) });
        const rows = Array.from({ length: n }, (_, i) => i).slice(from, to);
        const expected = rows.flatMap((row) => Array.from(bias, (value, i) => value + (row * 8 + i)));
        expectSameBytes(y, tensor("f32", [rows.length, 8], expected));
      }
    });
  });
});

describe("sizes that are in the data", () => {
  test("NonZero, and a Gather of what it finds", () => {
    const b = new GraphBuilder();
    const x = b.input("x", [2, "n"]);
    b.node("Transpose", [b.node("NonZero", [x], "found")], "y", { perm: [1, 0] });
    withModel(simplify(b.build("y", "found"), registry), {}, (model) => {
      for (const data of [
        [0, 1, 0, 2, 0, 3],
        [0, 0, 0, 0],
        [1, 1],
        [5, 0, 0, 0, 0, 0, 7, 8],
      ]) {
        const n = data.length / 2;
        const { y, found } = model.runSync({ x: tensor("f32", [2, n], data) });
        const at = data.flatMap((value, i) => (value === 0 ? [] : [[Math.floor(i / n), i % n]]));
        expectSameBytes(y, tensor("i32", [at.length, 2], at.flat()));
        expect(found!.shape).toEqual([2, at.length]);
      }
    });
  });

  test("that no power of two fits, and that the graph then refuses", () => {
    const b = new GraphBuilder();
    const found = b.node("NonZero", [b.input("x", ["n"])], "found");
    b.node("Relu", [b.node("Cast", [found], "counted", { to: "f32" })], "positive");
    b.node("Reshape", ["positive", b.constant("shape", ints(3, -1))], "y");
    withModel(simplify(b.build("y"), registry), {}, (model) => {
      expect(() => model.runSync({ x: tensor("f32", [2], [0, 1]) })).toThrow(/"Reshape_y": sizes differ/);
      const { y } = model.runSync({ x: tensor("f32", [4], [1, 1, 0, 1]) });
      expectSameBytes(y, tensor("f32", [3, 1], [0, 1, 3]));
      expect(() => model.runSync({ x: tensor("f32", [2], [0, 1]) })).toThrow(/"Reshape_y": sizes differ/);
    });
  });

  test("a file whose weights no step reads before a size is found", async () => {
    const b = new GraphBuilder();
    const found = b.node("NonZero", [b.input("x", ["n"])], "found");
    b.node(
      "Reshape",
      [b.node("Cast", [found], "counted", { to: "f32" }), b.constant("shape", ints(-1, 3))],
      "rows",
    );
    b.node("Linear", ["rows", b.floats("weights", [2, 3], 1)], "y");
    const graph = simplify(b.build("y"), registry);
    const feeds = [7, 4, 10].map((n) => ({ x: tensor("f32", [n], [0, ...new Array(n - 1).fill(1)]) }));
    const model = await load(save(graph, { selfTest: false }));
    withModel(graph, {}, (unsaved) => {
      for (const feed of feeds) expectSameBytes(model.runSync(feed).y, unsaved.runSync(feed).y!);
    });
    model.dispose();
  });

  test("Range of computed bounds, and ConstantOfShape of a computed shape", () => {
    const b = new GraphBuilder();
    const limit = b.input("limit", [], "i32");
    const start = b.constant("start", tensor("i32", [], [2]));
    b.node("Range", [start, limit, b.constant("delta", tensor("i32", [], [3]))], "range");
    b.node("ConstantOfShape", [b.input("shape", [2], "i32")], "filled", { value: 7 });
    withModel(simplify(b.build("range", "filled"), registry), {}, (model) => {
      for (const [to, shape] of [
        [12, [2, 3]],
        [1, [1, 1]],
        [30, [0, 4]],
      ] as const) {
        const result = model.runSync({ limit: tensor("i32", [], [to]), shape: ints(...shape) });
        const expected = Array.from({ length: Math.max(0, Math.ceil((to - 2) / 3)) }, (_, i) => 2 + 3 * i);
        expectSameBytes(result.range, ints(...expected));
        expectSameBytes(result.filled, tensor("f32", shape, new Array(shape[0] * shape[1]).fill(7)));
      }
    });
  });

  test("a shape of symbols that is read as numbers", () => {
    const b = new GraphBuilder();
    const x = b.input("x", ["n", 3]);
    b.node("Concat", [b.node("Shape", [x], "shape"), b.input("more", [1], "i32")], "wanted", { axis: 0 });
    b.node("Expand", [b.input("one", [1, 1, 1]), "wanted"], "y");
    withModel(simplify(b.build("y"), registry), {}, (model) => {
      for (const [n, more] of [
        [2, 4],
        [5, 1],
      ] as const) {
        const { y } = model.runSync({
          x: counting([n, 3]),
          more: ints(more),
          one: tensor("f32", [1, 1, 1], [4]),
        });
        expectSameBytes(y, tensor("f32", [n, 3, more], new Array(n * 3 * more).fill(4)));
      }
    });
  });
});

test("Expand of a row, or of as many, where a symbol says which", () => {
  const b = new GraphBuilder();
  b.node("Expand", [b.input("x", ["batch", 2]), b.constant("shape", ints(3, 2))], "y");
  withModel(simplify(b.build("y"), registry), {}, (model) => {
    expectSameBytes(model.runSync({ x: counting([1, 2]) }).y, tensor("f32", [3, 2], [0, 1, 0, 1, 0, 1]));
    expectSameBytes(model.runSync({ x: counting([3, 2]) }).y, counting([3, 2]));
    expect(() => model.runSync({ x: counting([2, 2]) })).toThrow(/do not broadcast/);
  });
});

test("outputs are told where no plan can be made before a run finds its sizes", () => {
  const b = new GraphBuilder();
  const shaped = b.node("Reshape", [b.input("x", [5, 1]), b.input("shape", [2], "i32")], "shaped");
  b.node("Add", [shaped, b.constant("c", counting([7, 5, 1]))], "sum");
  b.node("Relu", ["x"], "y");
  withModel(simplify(b.build("sum", "y"), registry), {}, (model) => {
    expect(model.outputs.map(({ name, shape }) => [name, shape.length])).toEqual([
      ["sum", 3],
      ["y", 2],
    ]);
    const into = { y: new Float32Array(5) };
    const { y, sum } = model.runSync({ x: counting([5, 1]), shape: ints(-1, 1) }, into);
    expect([y!.data, sum!.shape]).toEqual([counting([5, 1]).data, [7, 5, 1]]);
  });
});

test("a Slice that a run lets end beyond its input is refused where its sizes are numbers", () => {
  const b = new GraphBuilder();
  const starts = b.constant("starts", ints(3, -1));
  const lists = [
    b.input("ends", [2], "i32"),
    b.constant("axes", ints(1, 0)),
    b.constant("steps", ints(2, 1)),
  ];
  b.node("Slice", [b.input("x", [3, 6]), starts, ...lists], "y");
  withModel(simplify(b.build("y"), registry), {}, (model) => {
    const x = counting([3, 6]);
    expectSameBytes(model.runSync({ x, ends: ints(9, 3) }).y, tensor("f32", [1, 2], [15, 17]));
    expect(() => model.runSync({ x, ends: ints(9, 7) })).toThrow(/sizes that a run finds do not fit/);
  });
});

test("a run finds sizes one after another where no smaller ones fit", () => {
  const b = new GraphBuilder();
  /** As many thirds as `x` has numbers other than 0: a pooling needs that size as a number, and no power of two has thirds. */
  const thirds = (x: string) => {
    const at = b.node("Cast", [b.node("NonZero", [b.input(x, [`of_${x}`])], `${x}_at`)], `${x}_real`, {
      to: "f32",
    });
    const pool = b.node("MaxPool", [b.node("Unsqueeze", [at], `${x}_row`, { axes: [0] })], `${x}_pool`, {
      kernel_shape: [1],
    });
    b.multiple("Split", [pool], [`${x}_1`, `${x}_2`, `${x}_3`], { axis: 2 });
    return b.node("Add", [`${x}_1`, `${x}_3`], `${x}_sum`);
  };
  const first = thirds("x");
  // Sizes between them are free, and most often equal.
  const places = ["v", "u"].map((x) => b.node("NonZero", [b.input(x, [`of_${x}`])], `${x}_at`));
  const sum = b.node("Add", places, "sum");
  const last = thirds("z");
  withModel(simplify(b.build(first, sum, last), registry), {}, (model) => {
    for (const [x, v, u, z] of [
      [3, 2, 2, 6],
      [6, 4, 4, 3],
      [3, 1, 5, 9],
    ] as const) {
      const ones = (count: number) => tensor("f32", [count], new Array(count).fill(1));
      const results = model.runSync({ x: ones(x), v: ones(v), u: ones(u), z: ones(z) });
      for (const [name, count] of [
        [first, x],
        [last, z],
      ] as const) {
        const third = count / 3;
        const sums = Array.from({ length: third }, (_, at) => at + at + 2 * third);
        expectSameBytes(results[name], tensor("f32", [1, 1, third], sums));
      }
      const sums = Array.from({ length: Math.max(u, v) }, (_, at) => (v === u ? 2 * at : at));
      expectSameBytes(results[sum], tensor("i32", [1, sums.length], sums));
    }
  });
});

test("a size that is fed and one that is found in two parts", () => {
  const b = new GraphBuilder();
  const x = b.input("x", ["n"]);
  const parts = ["v", "u"].map((value) =>
    b.node(
      "Squeeze",
      [b.node("NonZero", [b.input(value, [`of_${value}`])], `${value}_at`)],
      `${value}_list`,
      {
        axes: [0],
      },
    ),
  );
  const both = b.node("Cast", [b.node("Concat", parts, "both", { axis: 0 })], "places", { to: "f32" });
  b.node("Relu", [b.node("Add", [b.node("Relu", [x], "positive"), both], "sum")], "y");
  withModel(simplify(b.build("y"), registry), {}, (model) => {
    const ones = (count: number) => tensor("f32", [count], new Array(count).fill(1));
    const run = (n: number, v: number, u: number) =>
      model.runSync({ x: counting([n]), v: ones(v), u: ones(u) }).y;
    for (const [n, v, u] of [
      [5, 2, 3],
      [5, 1, 4],
      [7, 3, 4],
      [1, 2, 2],
      [3, 1, 0],
    ] as const) {
      const size = Math.max(n, v + u);
      const at = (i: number) => (v + u === 1 ? 0 : i < v ? i : i - v);
      const sums = Array.from({ length: size }, (_, i) => (n === 1 ? 0 : i) + at(i));
      expectSameBytes(run(n, v, u), tensor("f32", [size], sums));
    }
    expect(() => run(5, 2, 2)).toThrow(OctetteError);
    expectSameBytes(run(4, 2, 2), tensor("f32", [4], [0, 2, 2, 4]));
  });
});

test("a size that is found by two nodes, in sums of what follows from it", () => {
  const b = new GraphBuilder();
  const x = b.input("x", ["n", 2]);
  const length = b.node("Cast", [b.node("Ceil", [b.input("k", [1])], "up")], "length", { to: "i32" });
  const [zero, one] = [b.constant("zero", ints(0)), b.constant("one", ints(1))];
  const rows = b.node("Slice", [b.node("Shape", [x], "size"), zero, one], "rows");
  const more = b.node("Sub", [length, rows], "more");
  const pads = b.node("Concat", [more, b.constant("none", ints(0, 0, 0))], "pads", { axis: 0 });
  const padded = b.node("Pad", [x, pads], "padded", { mode: "reflect" });
  const shape = b.node("Concat", [length, b.constant("two", ints(2))], "shape", { axis: 0 });
  const same = b.node("Reshape", [b.node("Relu", [padded], "positive"), shape], "same");
  b.node("Add", [same, padded], "y");
  withModel(simplify(b.build("y"), registry), {}, (model) => {
    for (const [n, k] of [
      [5, 6.5],
      [4, 5],
      [2, 4],
      [2, 2.5],
      [5, 8],
      [1, 2],
      [5, 6.5],
    ] as const) {
      const run = () => model.runSync({ x: counting([n, 2]), k: tensor("f32", [1], [k]) }).y!;
      const more = Math.ceil(k) - n;
      if (more > n - 1) expect(run).toThrow(/a border is longer than what reflect can take/);
      else {
        const from = Array.from({ length: n + more }, (_, i) => Math.abs(i - more));
        expectSameBytes(
          run(),
          tensor(
            "f32",
            [n + more, 2],
            from.flatMap((row) => [4 * row, 4 * row + 2]),
          ),
        );
      }
    }
  });
});

test("places of numbers in a constant are known", () => {
  const b = new GraphBuilder();
  const at = b.node("NonZero", [b.constant("mask", tensor("bool", [2, 3], [0, 1, 1, 0, 1, 0]))], "at");
  b.node("GatherND", [b.input("x", [2, 3]), b.node("Transpose", [at], "tuples", { perm: [1, 0] })], "y");
  const graph = simplify(b.build("y"), registry);
  expect(graph.nodes.map(({ op }) => op)).not.toContain("NonZero");
  withModel(graph, {}, (model) => {
    expect(model.plan.pauses).toEqual([]);
    expectSameBytes(model.runSync({ x: counting([2, 3]) }).y, tensor("f32", [3], [1, 2, 4]));
  });
});
