// Symbols that are a number in every run, quotients of sizes, and shapes of which a run computes a part.

import { expect, test } from "vitest";
import { OctetteError } from "../../src/errors";
import { tensor } from "../../src/graph/tensor";
import { toolkitOps as registry } from "../../src/ops/toolkit";
import { simplify } from "../../src/passes/index";
import { expectSameBytes } from "../check-model";
import { withModel } from "../engine/engines";
import { GraphBuilder } from "../graph-builder";

const ints = (...values: number[]) => tensor("i32", [values.length], values);
const counting = (...shape: number[]) =>
  tensor(
    "f32",
    shape,
    Array.from({ length: shape.reduce((a, b) => a * b, 1) }, (_, i) => i),
  );

test("channels that weights say are a number in the graph's inputs", () => {
  const b = new GraphBuilder();
  b.node("Conv", [b.input("x", ["batch", "channels", 4, 4]), b.floats("w", [5, 3, 1, 1], 1)], "y");
  const graph = simplify(b.build("y"), registry);
  expect(graph.inputs[0]!.shape).toEqual(["batch", 3, 4, 4]);
  withModel(graph, {}, (model) => {
    expect(model.runSync({ x: counting(2, 3, 4, 4) }).y!.shape).toEqual([2, 5, 4, 4]);
    expect(() => model.runSync({ x: counting(2, 4, 4, 4) })).toThrow(/\[batch, 3, 4, 4\]/);
  });
});

test("of two symbols that are equal the first one stays", () => {
  const b = new GraphBuilder();
  b.node("MatMul", [b.input("x", ["m", "k"]), b.input("z", ["k2", "n"])], "y");
  const { inputs } = simplify(b.build("y"), registry);
  expect(inputs.map(({ shape }) => shape)).toEqual([
    ["m", "k"],
    ["k", "n"],
  ]);
});

test("a size that a run finds is compared with the number that it has to be", () => {
  const b = new GraphBuilder();
  const rows = b.node("Reshape", [b.input("x", ["n"]), b.input("shape", [2], "i32")], "rows");
  b.node("MatMul", [rows, b.floats("w", [3, 2], 1)], "y");
  withModel(simplify(b.build("y"), registry), {}, (model) => {
    expect(model.runSync({ x: counting(6), shape: ints(2, 3) }).y!.shape).toEqual([2, 2]);
    expect(model.runSync({ x: counting(12), shape: ints(-1, 3) }).y!.shape).toEqual([4, 2]);
    expect(() => model.runSync({ x: counting(6), shape: ints(3, 2) })).toThrow(
      /a size that is found is not that of the graph: expected 3, got 2/,
    );
  });
});

test("integer quotients of sizes are known, and runs refused where they would be of a number below 0", () => {
  const b = new GraphBuilder();
  const x = b.input("x", ["n"]);
  const one = b.constant("one", ints(1));
  b.node("Sub", [b.node("Shape", [x], "size"), one], "less");
  b.node("Div", ["less", b.constant("two", ints(2))], "half");
  b.node("Slice", [x, b.constant("from", ints(0)), "half"], "y");
  const graph = simplify(b.build("y"), registry);
  expect(graph.nodes.map(({ op }) => op).sort()).toEqual(["Natural", "Slice"]);
  withModel(graph, {}, (model) => {
    for (const n of [1, 2, 3, 8, 9])
      expectSameBytes(model.runSync({ x: counting(n) }).y, counting(Math.floor((n - 1) / 2)));
    expect(() => model.runSync({ x: counting(0) })).toThrow(/a size is below 0.*got -1/);
  });
});

test("of a shape that a run computes in part, only that part is bound", () => {
  const b = new GraphBuilder();
  const x = b.input("x", ["batch", "n", 6]);
  const first = b.node(
    "Slice",
    [b.node("Shape", [x], "sizes"), b.constant("from", ints(0)), b.constant("to", ints(1))],
    "first",
  );
  b.node("Concat", [first, b.input("parts", [1], "i32"), b.constant("rest", ints(-1, 3))], "wanted", {
    axis: 0,
  });
  b.node("Relu", [b.node("Reshape", [x, "wanted"], "moved")], "y");
  const graph = simplify(b.build("y"), registry);
  const [bind] = graph.nodes.filter(({ op }) => op === "Bind");
  const found = bind!.attributes.found as readonly unknown[];
  expect([found[0], found[3]]).toEqual(["batch", 3]);
  withModel(graph, {}, (model) => {
    for (const [batch, n, parts] of [
      [2, 4, 4],
      [1, 3, 2],
      [2, 4, 8],
    ] as const)
      expectSameBytes(model.runSync({ x: counting(batch, n, 6), parts: ints(parts) }).y, {
        ...counting(batch, n, 6),
        shape: [batch, parts, (n * 2) / parts, 3],
      });
  });
});

test('pads that a file writes as TensorFlow\'s "same" does are known where sizes are', () => {
  const b = new GraphBuilder();
  const x = b.input("x", ["batch", 2, 5]);
  b.node(
    "Cast",
    [
      b.node(
        "Slice",
        [b.node("Shape", [x], "sizes"), b.constant("from", ints(2)), b.constant("to", ints(3))],
        "size",
      ),
    ],
    "f",
    { to: "f32" },
  );
  const number = (name: string, value: number) => b.constant(name, tensor("f32", [1], [value]));
  b.node("Ceil", [b.node("Div", ["f", number("stride", 2)], "d")], "c");
  b.node(
    "Add",
    [b.node("Mul", [b.node("Sub", ["c", number("one", 1)], "s"), "stride"], "m"), number("kernel", 3)],
    "a",
  );
  b.node("Clip", [b.node("Sub", ["a", "f"], "all"), b.constant("min", tensor("f32", [], [0]))], "clipped");
  b.node("Cast", ["clipped"], "after", { to: "i32" });
  b.node("Concat", [b.constant("zeros", ints(0, 0, 0, 0, 0)), "after"], "pads", { axis: 0 });
  b.node("Pad", [x, "pads"], "y");
  const graph = simplify(b.build("y"), registry);
  expect(graph.nodes.map(({ op, attributes }) => [op, attributes.pads])).toEqual([
    ["Pad", [0, 0, 0, 0, 0, 2]],
  ]);
});

test.each(
  Object.keys(registry).filter((op) => registry[op]!.equal),
)("%s without its inputs is a typed error", (op) => {
  const b = new GraphBuilder();
  b.node(op, [b.input("x", ["m", "n"])].slice(0, op === "Concat" ? 0 : 1), "y");
  expect(() => simplify(b.build("y"), registry)).toThrow(OctetteError);
});

test.each([
  ["symbols", ["n"], ["m"]],
  ["a symbol and a number, in rows", ["n", 2], [3, 1]],
])("what is added is refused where it does not fit, though only its shape is read: %s", (_, left, right) => {
  const b = new GraphBuilder();
  const sum = b.node("Add", [b.input("x", left), b.input("z", right)], "sum");
  b.node("Shape", [b.node("Relu", [sum], "positive")], "y");
  withModel(simplify(b.build("y"), registry), {}, (model) => {
    const of = (first: number, second: number) =>
      model.runSync({
        x: counting(first, ...(left.slice(1) as number[])),
        z: counting(second, ...(right.slice(1) as number[])),
      }).y!.data[0];
    expect([of(3, 3), of(1, 3)]).toEqual([3, 3]);
    for (const first of [0, 2])
      expect(() => of(first, 3)).toThrow(
        expect.objectContaining({
          code: "argument",
          where: 'node "Add_sum (Add of x, z)"',
          expected: `n = ${typeof right[0] === "string" ? "m" : "3"}, or one of them 1`,
          got: `${first} and 3`,
        }),
      );
  });
});

test("so is any of three that does not fit another", () => {
  const b = new GraphBuilder();
  const condition = b.input("c", ["k"], "bool");
  b.node("Shape", [b.node("Where", [condition, b.input("x", ["n"]), b.input("z", ["m"])], "chosen")], "y");
  withModel(simplify(b.build("y"), registry), {}, (model) => {
    const of = (k: number, n: number, m: number) =>
      model.runSync({ c: tensor("bool", [k], Array(k).fill(1)), x: counting(n), z: counting(m) }).y!.data[0];
    expect([of(1, 1, 3), of(3, 1, 1), of(3, 3, 3)]).toEqual([3, 3, 3]);
    for (const [k, n, m] of [
      [1, 2, 3],
      [2, 1, 3],
      [2, 3, 1],
    ] as const)
      expect(() => of(k, n, m)).toThrow(expect.objectContaining({ code: "argument" }));
  });
});

test("sums of sizes too long to compare are kept", () => {
  const b = new GraphBuilder();
  let x = b.input("x", ["batch", 1, "h", "w"]);
  for (let i = 0; i < 6; i++) {
    const half = b.node("MaxPool", [x], `half_${i}`, { kernel_shape: [2, 2], strides: [2, 2] });
    const whole = b.node("Resize", [half], `whole_${i}`, { scales: [1, 1, 2, 2] });
    x = b.node("Add", [x, whole], `sum_${i}`);
  }
  b.node("Shape", [x], "y");
  withModel(simplify(b.build("y"), registry), {}, (model) =>
    expect([...model.runSync({ x: counting(1, 1, 64, 128) }).y!.data]).toEqual([1, 1, 64, 128]),
  );
});
