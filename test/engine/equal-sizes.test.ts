// Sizes that two names describe: a graph loads where they may be equal, gives the bytes of a graph of these numbers where they are, and is
// refused with a reason where they are not.

import { describe, expect, test } from "vitest";
import type { Graph } from "../../src/graph/graph";
import { evaluateShape } from "../../src/graph/symbols";
import { type Tensor, tensor } from "../../src/graph/tensor";
import { bound } from "../../src/ops/bound";
import { toolkitOps as registry } from "../../src/ops/toolkit";
import { simplify } from "../../src/passes/index";
import { expectSameBytes } from "../check-model";
import { GraphBuilder, randomOf } from "../graph-builder";
import { withModel } from "./engines";

type Sizes = Readonly<Record<string, number>>;
type Case = readonly [what: string, build: (b: GraphBuilder) => void, fit: readonly Sizes[], misfit: Sizes];

const ints = (...values: number[]): Tensor => tensor("i32", [values.length], values);

const cases: readonly Case[] = [
  [
    "Einsum over a sum of two names",
    (b) =>
      b.node("Einsum", [b.input("x", ["batch", 3, "n"]), b.input("z", ["n2", 4])], "y", {
        equation: "bik,kj->bij",
      }),
    [
      { batch: 2, n: 5, n2: 5 },
      { batch: 1, n: 1, n2: 1 },
    ],
    { batch: 2, n: 5, n2: 4 },
  ],
  [
    "Einsum over stacks of two names, one of which may be 1",
    (b) =>
      b.node("Einsum", [b.input("x", ["s", 3, 2]), b.input("z", ["t", 2, 4])], "y", {
        equation: "bik,bkj->bij",
      }),
    [
      { s: 3, t: 3 },
      { s: 3, t: 1 },
      { s: 1, t: 2 },
    ],
    { s: 3, t: 2 },
  ],
  [
    "Gemm",
    (b) => b.node("Gemm", [b.input("x", ["m", "k"]), b.input("z", ["k2", 4])], "y"),
    [
      { m: 2, k: 3, k2: 3 },
      { m: 1, k: 8, k2: 8 },
    ],
    { m: 2, k: 3, k2: 4 },
  ],
  [
    "Concat beside its axis",
    (b) => b.node("Concat", [b.input("x", ["n", 3]), b.input("z", ["m", 2])], "y", { axis: 1 }),
    [
      { n: 2, m: 2 },
      { n: 5, m: 5 },
    ],
    { n: 2, m: 3 },
  ],
  [
    "Split into two",
    (b) => {
      b.multiple("Split", [b.input("x", ["n", 3])], ["p", "q"], { axis: 0 });
      b.node("Sub", ["p", "q"], "y");
    },
    [{ n: 4 }, { n: 10 }],
    { n: 5 },
  ],
  [
    "Reshape to a size of another input",
    (b) => {
      const [x, z] = [b.input("x", ["n", 6]), b.input("z", ["m", 2])];
      b.node("Shape", [z], "sizes");
      b.node(
        "Concat",
        [
          b.node("Slice", ["sizes", b.constant("from", ints(0)), b.constant("to", ints(1))], "first"),
          b.constant("six", ints(6)),
        ],
        "wanted",
        {
          axis: 0,
        },
      );
      b.node("Relu", [b.node("Reshape", [x, "wanted"], "moved")], "y");
    },
    [
      { n: 4, m: 4 },
      { n: 1, m: 1 },
    ],
    { n: 4, m: 3 },
  ],
  [
    "ScatterElements of other updates",
    (b) =>
      b.node(
        "ScatterElements",
        [b.input("x", ["n", 4]), b.input("i", ["m", 2], "i32"), b.input("u", ["k", 2])],
        "y",
        {
          axis: 1,
        },
      ),
    [
      { n: 3, m: 3, k: 3 },
      { n: 3, m: 2, k: 2 },
    ],
    { n: 3, m: 2, k: 3 },
  ],
  [
    "GatherElements that reaches less far",
    (b) =>
      b.node("GatherElements", [b.input("x", ["n", 4]), b.input("i", ["m", 2], "i32")], "y", { axis: 1 }),
    [
      { n: 3, m: 3 },
      { n: 3, m: 1 },
    ],
    { n: 2, m: 3 },
  ],
  [
    "ScatterND of other updates",
    (b) =>
      b.node("ScatterND", [b.input("x", [6, 2]), b.input("i", ["m", 1], "i32"), b.input("u", ["k", 2])], "y"),
    [
      { m: 3, k: 3 },
      { m: 1, k: 1 },
    ],
    { m: 2, k: 3 },
  ],
  [
    "first states of a GRU",
    (b) => {
      const weights = [b.floats("w", [1, 9, 2], 1), b.floats("r", [1, 9, 3], 1)];
      b.multiple(
        "GRU",
        [b.input("x", ["steps", "batch", 2]), ...weights, "", "", b.input("h", [1, "rows", 3])],
        ["y"],
        {
          hidden_size: 3,
        },
      );
    },
    [
      { steps: 3, batch: 2, rows: 2 },
      { steps: 1, batch: 1, rows: 1 },
    ],
    { steps: 3, batch: 2, rows: 1 },
  ],
];

const feedsOf = (graph: Graph, sizes: Sizes) => {
  const { between, below } = randomOf(7);
  return Object.fromEntries(
    graph.inputs.map(({ name, dtype, shape }) => {
      const own = evaluateShape(shape, sizes);
      const count = own.reduce((a, b) => a * b, 1);
      const one = () => (dtype === "i32" ? below(4) : between(-1, 1));
      return [name, tensor(dtype, own, Array.from({ length: count }, one))];
    }),
  );
};

test.each(cases)("%s", (_, build, fit, misfit) => {
  const b = new GraphBuilder(3);
  build(b);
  const written = b.build("y");
  const graph = simplify(written, registry);
  withModel(graph, {}, (model) => {
    for (const sizes of [...fit, ...fit]) {
      const fixed = simplify(bound(written, registry, sizes), registry);
      const { y } = withModel(fixed, {}, (one) => one.runSync(feedsOf(written, sizes)));
      expectSameBytes(model.runSync(feedsOf(written, sizes)).y, y!, JSON.stringify(sizes));
    }
    expect(() => model.runSync(feedsOf(written, misfit))).toThrow(
      /sizes differ|inner sizes differ|do not broadcast|do not fit|does not fit|lacks elements|equal parts|disagree on/,
    );
  });
});

test("a size that may be 1 is broadcast where it is, and added where it is not", () => {
  const b = new GraphBuilder();
  const [x, z] = [b.input("x", ["n", 2, "m", 3]), b.input("z", [2, "k", 3])];
  b.node("Add", [x, z], "y");
  withModel(simplify(b.build("y"), registry), {}, (model) => {
    const some = (...shape: number[]) =>
      tensor(
        "f32",
        shape,
        Array.from({ length: shape.reduce((a, c) => a * c, 1) }, (_, i) => i * i),
      );
    for (const [n, m, k] of [
      [2, 4, 4],
      [2, 4, 1],
      [3, 1, 4],
      [1, 1, 1],
      [2, 4, 1],
    ] as const) {
      const rows = Math.max(m, k);
      const at = (i: number, size: number) => (size === 1 ? 0 : i);
      const sums = Array.from({ length: n * 2 * rows * 3 }, (_, i) => {
        const [col, row, head, one] = [
          i % 3,
          Math.floor(i / 3) % rows,
          Math.floor(i / 3 / rows) % 2,
          Math.floor(i / 6 / rows),
        ];
        const left = ((one * 2 + head) * m + at(row, m)) * 3 + col;
        const right = (head * k + at(row, k)) * 3 + col;
        return left * left + right * right;
      });
      const { y } = model.runSync({ x: some(n, 2, m, 3), z: some(2, k, 3) });
      expectSameBytes(y, tensor("f32", [n, 2, rows, 3], sums));
    }
  });
});

describe("parameters that a run computes", () => {
  test("TopK of a fed k", () => {
    const b = new GraphBuilder();
    b.multiple("TopK", [b.input("x", ["n", 5]), b.input("k", [1], "i32")], ["y", "at"]);
    withModel(simplify(b.build("y", "at"), registry), {}, (model) => {
      const x = tensor("f32", [2, 5], [3, 1, 4, 1, 5, 9, 2, 6, 5, 3]);
      const best = [
        [5, 4, 3, 1, 1],
        [9, 6, 5, 3, 2],
      ];
      for (const k of [1, 3, 2, 5, 0])
        expectSameBytes(
          model.runSync({ x, k: ints(k) }).y,
          tensor(
            "f32",
            [2, k],
            best.flatMap((row) => row.slice(0, k)),
          ),
        );
      expect(() => model.runSync({ x, k: ints(6) })).toThrow(
        /"TopK_y": its input lacks elements|more than there are/,
      );
      expect(() => model.runSync({ x, k: ints(-1) })).toThrow(/below 0|does not fit|negative/);
    });
  });

  test.each(["constant", "edge"])("Pad by fed amounts, %s", (mode) => {
    const b = new GraphBuilder();
    b.node("Pad", [b.input("x", ["n", 3]), b.input("pads", [4], "i32")], "y", { mode });
    withModel(simplify(b.build("y"), registry), {}, (model) => {
      const x = tensor("f32", [2, 3], [1, 2, 3, 4, 5, 6]);
      for (const [top, left, bottom, right] of [
        [0, 1, 0, 2],
        [1, 0, 2, 0],
        [0, -1, 0, 1],
        [0, 1, 0, 2],
      ] as const) {
        const [rows, cols] = [2 + top + bottom, 3 + left + right];
        const from = (i: number, size: number) => (mode === "edge" ? Math.min(Math.max(i, 0), size - 1) : i);
        const at = (i: number, j: number) => {
          const [r, c] = [from(i - top, 2), from(j - left, 3)];
          // What is cut off is no border.
          const isCut = (left < 0 && j - left < -left) || r < 0 || r > 1 || c < 0 || c > 2;
          return isCut ? 0 : x.data[3 * r + c]!;
        };
        const expected = Array.from({ length: rows * cols }, (_, i) => at(Math.floor(i / cols), i % cols));
        expectSameBytes(
          model.runSync({ x, pads: ints(top, left, bottom, right) }).y,
          tensor("f32", [rows, cols], expected),
        );
      }
      expect(() => model.runSync({ x, pads: ints(-2, 0, -1, 0) })).toThrow(
        /below 0|lacks elements|more is taken away|negative/,
      );
    });
  });

  test("Split into fed parts", () => {
    const b = new GraphBuilder();
    b.multiple("Split", [b.input("x", ["n"]), b.input("split", [2], "i32")], ["y", "z"]);
    withModel(simplify(b.build("y", "z"), registry), {}, (model) => {
      const x = tensor("f32", [5], [1, 2, 3, 4, 5]);
      for (const at of [2, 5, 0, 3]) {
        const { y, z } = model.runSync({ x, split: ints(at, 5 - at) });
        expectSameBytes(y, tensor("f32", [at], x.data.slice(0, at)));
        expectSameBytes(z, tensor("f32", [5 - at], x.data.slice(at)));
      }
      expect(() => model.runSync({ x, split: ints(2, 2) })).toThrow(/sizes differ/);
    });
  });
});
