import { describe, expect, test } from "vitest";
import { sizeOf, tensor } from "../../src/graph/tensor";
import { toolkitOps } from "../../src/ops/toolkit";
import { simplify, simplifyImported } from "../../src/passes/index";
import { plainForms } from "../../src/passes/plain-forms";
import { expectClose, randomFeeds } from "../check-model";
import { withModel } from "../engine/engines";
import { type Attributes, GraphBuilder } from "../graph-builder";
import { expectSameFunction, opsOf } from "./check-pass";

const gemm = (attributes: Attributes, bias = true) => {
  const b = new GraphBuilder();
  const inputs = [b.input("x", ["batch", 5]), b.floats("w", [5, 3], 1)];
  if (bias) inputs.push(b.floats("b", [3], 1));
  return b.build(b.node("Gemm", inputs, "y", attributes));
};

test.for([
  { alpha: 0.5 },
  { beta: -2 },
  { alpha: 3, beta: 0.25 },
])("factors %o go into the constants", (factors) => {
  for (const graph of [gemm(factors), gemm(factors, false)]) {
    const result = simplify(graph, toolkitOps);
    expect(result.nodes[0]!.attributes).not.toHaveProperty("alpha");
    expect(result.nodes[0]!.attributes).not.toHaveProperty("beta");
    expectSameFunction(graph, result);
  }
});

test.for([
  { alpha: 4, w: 1e38, x: 1e-38, bias: 3 },
  { alpha: 1e-22, w: 1e-20, x: 1e37, bias: 0 },
])("a factor whose products with weights are out of f32's range goes to the sums: %o", (one) => {
  const { alpha, w, x, bias } = one;
  const b = new GraphBuilder();
  const constants = [
    b.constant("w", tensor("f32", [2, 1], [w, w])),
    b.constant("b", tensor("f32", [1], [bias])),
  ];
  b.node("Gemm", [b.input("x", [1, 2]), ...constants], "y", { alpha });
  withModel(simplify(b.build("y"), toolkitOps), {}, (model) => {
    const { y } = model.runSync({ x: tensor("f32", [1, 2], [x, x]) });
    expectClose(y, tensor("f32", [1, 1], [2 * x * w * alpha + bias]));
  });
});

test("a product with a known matrix is Linear, whose weights keep their name and are shared", () => {
  const b = new GraphBuilder();
  const w = b.floats("w", [5, 3], 1);
  const x = b.input("x", ["batch", 2, 5]);
  b.node("Add", [b.node("MatMul", [x, w], "p"), b.node("MatMul", [b.node("Neg", [x], "n"), w], "q")], "y");
  const graph = b.build("y");
  const once = simplify(gemm({ alpha: 1, beta: 1 }), toolkitOps);
  expect(once.nodes).toMatchObject([{ op: "Linear", inputs: ["x", "w", "b"], attributes: {} }]);
  expect(once.constants.get("w")!.shape).toEqual([3, 5]);
  const twice = simplify(graph, toolkitOps);
  const weights = twice.nodes.flatMap(({ op, inputs }) => (op === "Linear" ? [inputs[1]] : []));
  expect(weights).toHaveLength(2);
  expect(new Set(weights).size).toBe(1);
  expectSameFunction(graph, twice);
});

type Values = ArrayLike<number>;

/** Element [r][c] of a matrix that broadcasts to more rows or columns. */
function at(data: Values, shape: readonly number[], r: number, c: number): number {
  const [rows, cols] = [shape.at(-2) ?? 1, shape.at(-1) ?? 1];
  return data[(rows === 1 ? 0 : r) * cols + (cols === 1 ? 0 : c)]!;
}

describe("Gemm as ONNX has it", () => {
  const [m, k, n] = [3, 4, 3];
  for (const transA of [0, 1])
    for (const transB of [0, 1])
      for (const isConstant of [true, false])
        test.each([
          [],
          [1],
          [n],
          [1, n],
          [m, 1],
          [m, n],
          [1, 1],
        ])(`transA ${transA}, transB ${transB}, w ${isConstant ? "constant" : "computed"}, bias [%s, %s]`, (...dims) => {
          const bias = dims.filter((dim) => dim !== undefined);
          for (const [alpha, beta] of [
            [1, 1],
            [0.5, -2],
          ] as const)
            for (const isBiasConstant of [true, false]) {
              const b = new GraphBuilder(4);
              const shapes = {
                x: transA ? [k, m] : [m, k],
                w: transB ? [n, k] : [k, n],
                b: bias,
              };
              const operand = (name: "x" | "w" | "b", fixed: boolean) =>
                fixed ? b.floats(name, shapes[name], 1) : b.input(name, shapes[name]);
              const inputs = [operand("x", false), operand("w", isConstant), operand("b", isBiasConstant)];
              b.node("Gemm", inputs, "y", { alpha, beta, transA, transB });
              const graph = b.build("y");
              const feeds = randomFeeds(graph, 1, 3);
              const value = (name: string) => (graph.constants.get(name) ?? feeds[name]!).data;
              const [x, w, c] = [value("x"), value("w"), value("b")];
              const expected = Array.from({ length: m * n }, (_, i) => {
                const [row, col] = [Math.floor(i / n), i % n];
                let sum = 0;
                for (let j = 0; j < k; j++)
                  sum += x[transA ? j * m + row : row * k + j]! * w[transB ? col * k + j : j * n + col]!;
                return alpha * sum + beta * at(c, bias, row, col);
              });
              withModel(simplify(graph, toolkitOps), {}, (model) =>
                expectClose(model.runSync(feeds).y, tensor("f32", [m, n], expected)),
              );
            }
        });

  test("a bias that does not broadcast is refused", () => {
    const b = new GraphBuilder();
    const inputs = [b.input("x", [2, 4]), b.floats("w", [4, 3], 1), b.floats("b", [3, 1], 1)];
    b.node("Gemm", inputs, "y");
    expect(() => simplify(b.build("y"), toolkitOps)).toThrow(
      /the bias does not fit: expected what broadcasts to \[2, 3\], got \[3, 1\]/,
    );
  });
});

describe("a Gemm of codes", () => {
  /** x [3, 4] times codes [3, 4], transposed by `perm`, and a bias of codes of this shape. */
  const coded = (perm: readonly number[], transB: number, bias: readonly number[]) => {
    const b = new GraphBuilder(6);
    const half = b.constant("half", tensor("f32", [], [0.5]));
    const codes = (name: string, shape: readonly number[]) => {
      const data = Array.from({ length: sizeOf(shape) }, (_, i) => ((i * 37) % 11) - 5);
      return b.node("DequantizeLinear", [b.constant(name, tensor("i8", shape, data)), half], `${name}_real`);
    };
    const w = b.node("Transpose", [codes("w", perm[0] === 1 ? [4, 3] : [3, 4])], "moved", { perm });
    b.node("Gemm", [b.input("x", [3, 4]), w, codes("b", bias)], "y", { transB });
    return b.build("y", "moved");
  };
  const turned = [1, 0];
  const idle = [0, 1];

  test.each([
    [turned, 1, [3]],
    [idle, 1, [3]],
    [turned, 1, [1, 3]],
    [idle, 1, [3, 3]],
    [turned, 1, [3, 1]],
    [turned, 1, []],
  ] as const)("weights under Transpose %s, transB %i, a bias %s", (perm, transB, bias) => {
    const graph = coded(perm, transB, bias);
    expectSameFunction(graph, simplifyImported(graph, toolkitOps));
  });
});

describe("LayerNormalization with what broadcasts to its input", () => {
  const [rows, cols] = [3, 3];
  const cases = [
    [[3], [3]],
    [[1, 3], []],
    [[3, 1], [3]],
    [[3], [3, 1]],
    [
      [3, 3],
      [3, 3],
    ],
    [[1], [1, 1]],
  ] as const;
  test.each(cases)("scale [%s], bias [%s]", (scale, bias) => {
    for (const axis of [-1, 0]) {
      const b = new GraphBuilder(9);
      const inputs = [b.input("x", [rows, cols]), b.floats("s", scale, 1), b.floats("b", bias, 1)];
      b.node("LayerNormalization", inputs, "y", { axis, epsilon: 1e-5 });
      const graph = b.build("y");
      const feeds = randomFeeds(graph, 1, 3);
      const x = feeds.x!.data;
      const [s, t] = [graph.constants.get("s")!.data, graph.constants.get("b")!.data];
      const expected = Array.from(x, (value, i) => {
        const [row, col] = [Math.floor(i / cols), i % cols];
        const [from, to] = axis === 0 ? [0, rows * cols] : [row * cols, (row + 1) * cols];
        let mean = 0;
        for (let j = from; j < to; j++) mean += x[j]! / (to - from);
        let variance = 0;
        for (let j = from; j < to; j++) variance += (x[j]! - mean) ** 2 / (to - from);
        const normal = (value - mean) / Math.sqrt(variance + 1e-5);
        return normal * at(s, scale, row, col) + at(t, bias, row, col);
      });
      withModel(simplify(graph, toolkitOps), {}, (model) =>
        expectClose(model.runSync(feeds).y, tensor("f32", [rows, cols], expected)),
      );
    }
  });
});

describe("over any axes", () => {
  const shape = [2, 3, 4, 2];
  const strides = [24, 8, 2, 1];
  /** Position along every axis. */
  const placeOf = (i: number) => shape.map((dim, axis) => Math.floor(i / strides[axis]!) % dim);
  const run = (op: string, attributes: Attributes) => {
    const b = new GraphBuilder();
    b.node(op, [b.input("x", shape)], "y", attributes);
    const graph = b.build("y");
    const feeds = randomFeeds(graph, 1, 5);
    const simple = simplify(graph, toolkitOps);
    return { x: feeds.x!.data, simple, y: withModel(simple, {}, (model) => model.runSync(feeds).y!) };
  };

  test.each([0, 1, 2, -2, 3])("Softmax and LogSoftmax, axis %i", (axis) => {
    for (const op of ["Softmax", "LogSoftmax"]) {
      const { x, y, simple } = run(op, { axis });
      const along = axis < 0 ? axis + 4 : axis;
      const expected = Array.from(x, (value, i) => {
        const first = i - placeOf(i)[along]! * strides[along]!;
        let sum = 0;
        for (let j = 0; j < shape[along]!; j++) sum += Math.exp(x[first + j * strides[along]!]!);
        return op === "Softmax" ? Math.exp(value) / sum : value - Math.log(sum);
      });
      expectClose(y, tensor("f32", shape, expected));
      expect(simple.nodes.some((node) => node.name === `${op}_y`)).toBe(true);
    }
  });

  test.each([
    [[0, 2], 1],
    [[0, 2], 0],
    [[1, 3], 0],
    [[0, 1, 3], 1],
    [[-4, -1], 0],
  ])("ReduceMean, axes %o, keepdims %i", (axes, keepdims) => {
    const { x, y } = run("ReduceMean", { axes, keepdims });
    const isReduced = shape.map((_, axis) => axes.includes(axis) || axes.includes(axis - 4));
    const kept = shape.map((dim, axis) => (isReduced[axis] ? 1 : dim));
    const count = 48 / kept.reduce((n, dim) => n * dim, 1);
    const expected = new Array<number>(48 / count).fill(0);
    for (const [i, value] of x.entries()) {
      const at = placeOf(i).reduce(
        (sum, place, axis) => (isReduced[axis] ? sum : sum * shape[axis]! + place),
        0,
      );
      expected[at] = expected[at]! + value / count;
    }
    expectClose(y, tensor("f32", keepdims ? kept : kept.filter((_, axis) => !isReduced[axis]), expected));
  });
});

test("two Transposes are one", () => {
  const b = new GraphBuilder();
  const turned = b.node("Transpose", [b.input("x", ["batch", 3, 4, 5])], "turned", { perm: [0, 2, 3, 1] });
  b.node("Transpose", [turned], "y", { perm: [0, 2, 1, 3] });
  const graph = b.build("y");
  const result = plainForms(graph, toolkitOps);
  expect(result.nodes.at(-1)).toMatchObject({ inputs: ["x"], attributes: { perm: [0, 3, 2, 1] } });
  expectSameFunction(graph, result, "exact");
});

const mean = (attributes: Attributes, shape = ["batch", 3, 4, 5] as (string | number)[]) => {
  const b = new GraphBuilder();
  return b.build(b.node("ReduceMean", [b.input("x", shape)], "y", attributes));
};

test.for([
  { axes: [2, 3], keepdims: 1, ops: "GlobalAveragePool" },
  { axes: [-1, -2], ops: "GlobalAveragePool" },
  { axes: [3, 2], keepdims: 0, ops: "GlobalAveragePool Flatten" },
])("the mean over height and width is $ops", ({ ops, ...attributes }) => {
  const graph = mean(attributes);
  const result = plainForms(graph, toolkitOps);
  expect(opsOf(result)).toBe(ops);
  expectSameFunction(graph, result);
});

test("other means stay", () => {
  for (const graph of [
    mean({ axes: [1, 2] }),
    mean({ axes: [3] }),
    mean({}),
    mean({ axes: [2] }, ["batch", 7, 8]),
  ])
    expect(plainForms(graph, toolkitOps)).toBe(graph);
});
