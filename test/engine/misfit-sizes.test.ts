// Sizes that do not fit in a run, of nothing and of numbers below 0 among them: refused, and runs after them have their own numbers.

import { describe, expect, test } from "vitest";
import { type Tensor, tensor } from "../../src/graph/tensor";
import { readArtifact, save, verify } from "../../src/index";
import { toolkitOps as registry } from "../../src/ops/toolkit";
import { simplify } from "../../src/passes/index";
import { expectSameBytes } from "../check-model";
import { GraphBuilder } from "../graph-builder";
import { withModel } from "./engines";

const counting = (shape: readonly number[]): Tensor =>
  tensor(
    "f32",
    shape,
    Array.from({ length: shape.reduce((a, b) => a * b, 1) }, (_, i) => i),
  );
const ints = (...values: number[]): Tensor => tensor("i32", [values.length], values);

test("Split of nothing into fed parts of something", () => {
  const b = new GraphBuilder();
  b.multiple("Split", [b.input("x", ["n"]), b.input("split", [2], "i32")], ["y", "z"]);
  withModel(simplify(b.build("y", "z"), registry), {}, (model) => {
    const x = tensor("f32", [0], []);
    expect(() => model.runSync({ x, split: ints(2, 3) })).toThrow(/sizes differ/);
  });
});

test("a Pad that takes away more than there is", () => {
  const b = new GraphBuilder();
  b.node("Pad", [b.input("x", ["n"]), b.input("pads", [2], "i32")], "y", { mode: "edge" });
  withModel(simplify(b.build("y"), registry), {}, (model) => {
    const x = tensor("f32", [4], [1, 2, 3, 4]);
    expect(() => model.runSync({ x, pads: ints(6, -5) })).toThrow(/nothing of the input is left/);
    expectSameBytes(model.runSync({ x, pads: ints(2, -3) }).y, tensor("f32", [3], [1, 1, 1]));
  });
});

test("a Slice up to a fed number that may be below 0", () => {
  const b = new GraphBuilder();
  const p = b.input("p", [1], "i32");
  const [zero, least] = [b.constant("zero", ints(0)), b.constant("least", ints(-1))];
  const two = b.constant("two", ints(2));
  const ends = {
    max: b.node("Max", [p, least], "max"),
    less: b.node("Where", [b.node("Less", [p, zero], "isBelow"), two, p], "less"),
    negative: b.node("Sub", [zero, p], "negative"),
  };
  const x = b.input("x", ["n"]);
  for (const [name, end] of Object.entries(ends)) b.node("Slice", [x, zero, end], `y_${name}`);
  withModel(simplify(b.build("y_max", "y_less", "y_negative"), registry), {}, (model) => {
    const x = tensor("f32", [4], [1, 2, 3, 4]);
    const counts = (at: number) =>
      Object.values(model.runSync({ x, p: ints(at) })).map(({ data }) => data.length);
    expect([-7, -3, -1, 0, 1, 3].map(counts)).toEqual([
      [3, 2, 4],
      [3, 2, 3],
      [3, 2, 1],
      [0, 0, 0],
      [1, 1, 3],
      [3, 3, 1],
    ]);
  });
});

test("sizes of two names of which one is 0", () => {
  const b = new GraphBuilder();
  b.node("Add", [b.input("x", ["n", 2]), b.input("z", ["m", 2])], "y");
  withModel(simplify(b.build("y"), registry), {}, (model) => {
    const some = (rows: number) => tensor("f32", [rows, 2], new Float32Array(2 * rows).fill(rows));
    for (const [n, m] of [
      [2, 2],
      [0, 2],
      [2, 0],
    ] as const)
      if (n === m)
        expectSameBytes(model.runSync({ x: some(n), z: some(m) }).y, tensor("f32", [2, 2], [4, 4, 4, 4]));
      else expect(() => model.runSync({ x: some(n), z: some(m) })).toThrow(/do not broadcast/);
    expect(model.runSync({ x: some(0), z: some(1) }).y!.shape).toEqual([0, 2]);
  });
});

test("a size that a run finds is compared with others once it is found", () => {
  const b = new GraphBuilder();
  const [x, z, end] = [b.input("x", ["n", 1]), b.input("z", ["m", 1]), b.input("end", [1], "i32")];
  const part = b.node("Slice", [z, b.constant("start", ints(0)), end, b.constant("axes", ints(0))], "part");
  b.node("Concat", [x, part], "y", { axis: 1 });
  withModel(simplify(b.build("y"), registry), {}, (model) => {
    const some = (rows: number, by: number) =>
      tensor(
        "f32",
        [rows, 1],
        Array.from({ length: rows }, (_, i) => by + i),
      );
    for (const n of [2, 0, 3, 1])
      expectSameBytes(
        model.runSync({ x: some(n, 1), z: some(3, 7), end: ints(n) }).y,
        tensor(
          "f32",
          [n, 2],
          Array.from({ length: 2 * n }, (_, i) => (i % 2 ? 7 : 1) + (i >> 1)),
        ),
      );
    for (const at of [0, 1, 3])
      expect(() => model.runSync({ x: some(2, 1), z: some(3, 7), end: ints(at) })).toThrow(/sizes differ/);
    expect(model.runSync({ x: some(2, 1), z: some(3, 7), end: ints(2) }).y!.shape).toEqual([2, 2]);
  });
});

test("rows that a size shifts are not cut, whatever they were with the first sizes", () => {
  const b = new GraphBuilder();
  const [x, z] = [b.input("x", ["n"]), b.input("z", ["m"])];
  const third = b.node("Div", [b.node("Shape", [z], "size"), b.constant("three", ints(3))], "third");
  const minus = b.node("Sub", [b.constant("zero", ints(0)), third], "minus");
  b.node("Pad", [x, b.node("Concat", [third, minus], "pads", { axis: 0 })], "y");
  withModel(simplify(b.build("y"), registry), {}, (model) => {
    const x = tensor("f32", [4], [1, 2, 3, 4]);
    for (const [size, expected] of [
      [2, [1, 2, 3, 4]],
      [3, [0, 1, 2, 3]],
      [6, [0, 0, 1, 2]],
    ] as const)
      expectSameBytes(
        model.runSync({ x, z: tensor("f32", [size], new Array(size).fill(0)) }).y,
        tensor("f32", [4], expected),
      );
  });
});

test("a model of one batch alone is saved, and verified with that", async () => {
  const b = new GraphBuilder();
  b.node("Reshape", [b.node("Relu", [b.input("x", ["batch", 3])], "positive")], "y", { shape: [1, 1, 21] });
  const bytes = save(b.build("y"));
  expect(readArtifact(bytes).selfTest).toBeDefined();
  expect(await verify(bytes)).toBe(true);
});

describe("0 in a shape stands for the input's dimension", () => {
  const zeros = (...shape: number[]) =>
    tensor("f32", shape, new Array(shape.reduce((a, b) => a * b, 1)).fill(0));

  test("a symbol beside −1 that is 0 is refused where the two differ", () => {
    const b = new GraphBuilder();
    const [x, z] = [b.input("x", ["n", "m"]), b.input("z", ["k"])];
    const rest = b.constant("rest", ints(-1));
    const sizes = b.node("Concat", [b.node("Shape", [z], "size"), rest], "sizes", { axis: 0 });
    b.node("Relu", [b.node("Reshape", [x, sizes], "shaped")], "y");
    withModel(simplify(b.build("y"), registry), {}, (model) => {
      expect(model.runSync({ x: zeros(2, 6), z: zeros(3) }).y!.shape).toEqual([3, 4]);
      expect(model.runSync({ x: zeros(0, 6), z: zeros(3) }).y!.shape).toEqual([3, 0]);
      // ONNX gives [2, 0]. The plan has no size for −1 where the elements are 0.
      expect(() => model.runSync({ x: zeros(2, 0), z: zeros(0) })).toThrow(/"Reshape_shaped/);
    });
  });

  test("fed twice, it copies both dimensions", () => {
    const b = new GraphBuilder();
    const [x, s] = [b.input("x", ["n", "m"]), b.input("s", [1], "i32")];
    const sizes = b.node("Concat", [s, s], "sizes", { axis: 0 });
    const twice = b.node("Reshape", [b.node("Reshape", [x, s], "flat"), sizes], "twice");
    b.node("Relu", [b.node("Reshape", [x, sizes], "shaped")], "y");
    b.node("Relu", [twice], "z");
    withModel(simplify(b.build("y"), registry), {}, (model) => {
      expect(model.runSync({ x: zeros(2, 0), s: ints(0) }).y!.shape).toEqual([2, 0]);
      expect(model.runSync({ x: zeros(2, 2), s: ints(2) }).y!.shape).toEqual([2, 2]);
    });
  });
});

test("sizes below 0 are told with the node that has them", () => {
  const b = new GraphBuilder();
  const [x, s] = [b.input("x", ["n"]), b.input("s", [1], "i32")];
  const rest = b.node("Sub", [b.node("Shape", [x], "size"), s], "rest");
  b.multiple("Split", [x, b.node("Concat", [s, rest], "parts", { axis: 0 })], ["part", ""]);
  b.node("Tile", [x, s], "tiled");
  b.node("ConstantOfShape", [s], "filled", { value: 1 });
  const x4 = tensor("f32", [4], [1, 2, 3, 4]);
  for (const y of ["part", "tiled", "filled"])
    withModel(simplify(b.build(y), registry), {}, (model) => {
      expect(model.runSync({ x: x4, s: ints(1) })[y]!.data.length).toBe(y === "tiled" ? 4 : 1);
      const run = () => model.runSync({ x: x4, s: ints(-2) });
      expect(run).toThrow(
        /^(Split|node "Split|node "Tile|value "tiled"|Tile|Const|value "filled").*(below 0|negative)/,
      );
    });
});

describe("a Slice", () => {
  test("that ends before it starts is empty", () => {
    const b = new GraphBuilder();
    b.node("Slice", [b.input("x", ["n"])], "y", { starts: [3], ends: [1] });
    withModel(simplify(b.build("y"), registry), {}, (model) =>
      expect(model.runSync({ x: tensor("f32", [4], [1, 2, 3, 4]) }).y!.shape).toEqual([0]),
    );
  });

  test("whose end a run finds below 0 counts it from the end", () => {
    const b = new GraphBuilder();
    const [x, end] = [b.input("x", ["n"]), b.input("end", [1], "i32")];
    const start = b.node("Add", [end, b.constant("three", ints(3))], "start");
    b.node("Slice", [x, start, end], "y");
    withModel(simplify(b.build("y"), registry), {}, (model) => {
      const run = (at: number) => [
        ...model.runSync({ x: tensor("f32", [4], [1, 2, 3, 4]), end: ints(at) }).y!.data,
      ];
      expect(run(-1)).toEqual([3]);
      expect(run(-3)).toEqual([1]);
      expect(run(1)).toEqual([]);
    });
  });

  test("of more than there is, of which only the shape is read", () => {
    const b = new GraphBuilder();
    const x = b.input("x", ["n"]);
    const last = b.node("Slice", [x], "last", { starts: [-1], ends: [2 ** 31 - 1] });
    const size = b.node("Shape", [last], "size");
    b.node("ConstantOfShape", [b.node("Add", [size, b.node("Shape", [x], "all")], "both")], "y", {
      value: 1,
    });
    withModel(simplify(b.build("y"), registry), {}, (model) => {
      expect(model.runSync({ x: tensor("f32", [2], [1, 2]) }).y!.shape).toEqual([3]);
      expect(() => model.runSync({ x: tensor("f32", [0], []) })).toThrow(
        /node "Slice_last_sizes": a size is below 0.*at least 0 for -1\+n/,
      );
    });
  });
});

test("a run refuses a size below 0 of a ConstantOfShape whose shape alone is read", () => {
  const b = new GraphBuilder();
  const x = b.input("x", ["n"]);
  const less = b.node("Add", [b.node("Shape", [x], "all"), b.constant("less", ints(-3))], "less3");
  const size = b.node("Shape", [b.node("ConstantOfShape", [less], "ones", { value: 1 })], "size");
  b.node("Mul", [x, b.node("Cast", [size], "float", { to: "f32" })], "y");
  withModel(simplify(b.build("y"), registry), {}, (model) => {
    const run = (n: number) => [...model.runSync({ x: tensor("f32", [n], new Array(n).fill(1)) }).y!.data];
    expect(run(4)).toEqual([1, 1, 1, 1]);
    expect(() => run(2)).toThrow(/node "ConstantOfShape_ones_sizes": a size is below 0/);
  });
});

test("a Slice from before the first element, beside a fed bound that is the one tried first", () => {
  const b = new GraphBuilder();
  const x = b.input("x", ["n", 4, "n"]);
  const [size, first] = [b.node("Shape", [x], "size", { end: 1 }), b.input("first", [1], "i32")];
  const before = b.node("Mul", [size, b.constant("many", ints(-4))], "before");
  const starts = b.node("Concat", [before, first], "starts", { axis: 0 });
  const ends = b.constant("ends", ints(2 ** 31 - 1, 2));
  const cut = b.node("Slice", [x, starts, ends, b.constant("axes", ints(0, 1))], "cut");
  const rows = b.node("Cast", [b.node("Shape", [cut], "shape", { end: 1 })], "rows", { to: "f32" });
  b.node("Add", [b.node("ReduceSum", [cut], "sum", { keepdims: 0 }), rows], "y");
  const graphs = [b.build("cut"), b.build("y")].map((graph) => simplify(graph, registry));
  for (const graph of graphs)
    for (const [n, at] of [
      [1, 1],
      [3, 1],
      [2, 0],
    ] as const)
      withModel(graph, {}, (model) =>
        expect(() => model.runSync({ x: counting([n, 4, n]), first: ints(at) })).toThrow(
          /sizes that a run finds do not fit/,
        ),
      );
});

test("a Slice from before the first element, of the size that was tried while loading", () => {
  const b = new GraphBuilder();
  const x = b.input("x", ["n", "n"]);
  const rows = b.node("Shape", [x], "rows", { end: 1 });
  const starts = b.node("Concat", [b.constant("from", ints(-3)), rows], "starts", { axis: 0 });
  const ends = b.node("Concat", [rows, rows], "ends", { axis: 0 });
  const [axes, steps] = [b.constant("axes", ints(1, 0)), b.constant("steps", ints(1, -2))];
  b.node("Slice", [x, starts, ends, axes, steps], "y");
  withModel(simplify(b.build("y"), registry), {}, (model) => {
    const run = (n: number) => model.runSync({ x: counting([n, n]) }).y!.shape;
    for (const n of [2, 1, 2, 4, 2, 0]) expect(run(n)).toEqual([0, Math.min(n, 3)]);
  });
});

test("a run refuses a Split that does not fit, by its name, where only shapes are read", () => {
  const b = new GraphBuilder();
  b.multiple("Split", [b.input("x", ["n"])], ["first", "second"], { split: [2, 9] });
  b.node("ConstantOfShape", [b.node("Shape", ["second"], "shape")], "y", { value: 1 });
  withModel(simplify(b.build("y"), registry), {}, (model) => {
    const run = (n: number) => model.runSync({ x: tensor("f32", [n], new Array(n).fill(1)) }).y!.shape;
    expect(run(11)).toEqual([9]);
    for (const n of [0, 5, 10, 12])
      expect(() => run(n)).toThrow(/node "Split_first_sizes": a size is below 0/);
  });
});

test("a maximum of 0 leaves no room, whether sizes are numbers or not", () => {
  for (const op of ["Relu", "Softmax"]) {
    const b = new GraphBuilder();
    b.node(op, [b.input("x", ["n", "m"])], "y");
    const graph = simplify(b.build("y"), registry);
    expect(() => withModel(graph, { maxima: { n: 0 } }, () => {})).toThrow(
      /maxima\.n: invalid maximum.*got 0/,
    );
  }
});
