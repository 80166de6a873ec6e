import { describe, expect, test } from "vitest";
import { type Tensor, tensor } from "../../../src/graph/tensor";
import { importOnnx, loadSync, save } from "../../../src/index";
import { onnxOf } from "../../../src/toolkit/export-onnx";
import { toolkit } from "../../../src/toolkit/toolkit";
import { type FileGraph, type FileModel, onnxFile } from "../../formats/onnx/model-file";
import { testControl } from "./test-control";

const flag = (holds: boolean): Tensor => tensor("bool", [], [holds ? 1 : 0]);
const floats = (shape: readonly number[], ...values: number[]): Tensor => tensor("f32", shape, values);
const c = { name: "c", shape: [], type: 9 };
const branching = (
  then_branch: FileGraph,
  else_branch: FileGraph,
  more: Partial<FileModel> = {},
): FileModel => ({
  nodes: [
    {
      op: "If",
      inputs: ["c"],
      outputs: ["y"],
      attributes: { then_branch: { graph: then_branch }, else_branch: { graph: else_branch } },
    },
  ],
  inputs: [c, { name: "x", shape: ["n", 3] }],
  ...more,
});
/** A branch of one node. */
const by = (op: string, inputs: readonly string[], more: Partial<FileGraph> = {}): FileGraph => ({
  nodes: [{ op, inputs, outputs: ["made"] }],
  outputs: ["made"],
  ...more,
});

const x = floats([2, 3], 1, -2, 0, 4, 5, -6);
testControl("If, branches that read what is around them", branching(by("Relu", ["x"]), by("Neg", ["x"])), [
  [{ c: flag(true), x }, { y: floats([2, 3], 1, 0, 0, 4, 5, 0) }],
  [{ c: flag(false), x }, { y: floats([2, 3], -1, 2, -0, -4, -5, 6) }],
  [{ c: flag(false), x: floats([1, 3], 1, 2, 3) }, { y: floats([1, 3], -1, -2, -3) }],
]);

testControl(
  "If, a branch that hands on what is around it",
  branching({ nodes: [], outputs: ["x"] }, by("Exp", ["x"])),
  [
    [{ c: flag(true), x }, { y: x }],
    [{ c: flag(false), x: floats([1, 3], 0, 0, 1) }, { y: floats([1, 3], 1, 1, Math.E) }],
  ],
);

const rows = (...more: FileGraph["nodes"]): FileGraph => ({
  nodes: [{ op: "Reshape", inputs: ["x", "shape"], outputs: ["rows"] }, ...more],
  initializers: { shape: tensor("i32", [2], [-1, 3]), inner: floats([3, 2], 1, 0, 0, 1, 2, 2) },
  outputs: ["made"],
});
testControl(
  "If, weights within branches that no power of two fits",
  branching(
    rows({ op: "MatMul", inputs: ["rows", "inner"], outputs: ["made"] }),
    rows(
      { op: "Neg", inputs: ["rows"], outputs: ["less"] },
      { op: "MatMul", inputs: ["less", "inner"], outputs: ["made"] },
    ),
    { inputs: [c, { name: "x", shape: ["n"] }] },
  ),
  [
    [{ c: flag(true), x: floats([6], 1, -2, 0, 4, 5, -6) }, { y: floats([2, 2], 1, -2, -8, -7) }],
    [{ c: flag(false), x: floats([3], 1, -2, 0) }, { y: floats([1, 2], -1, 2) }],
  ],
);

testControl(
  "If, weights within a branch and around it",
  branching(
    by("MatMul", ["x", "inner"], { initializers: { inner: floats([3, 2], 1, 0, 0, 1, 2, 2) } }),
    by("MatMul", ["x", "outer"]),
    { initializers: { outer: floats([3, 2], 1, 1, 1, 1, 1, 1) } },
  ),
  [
    [{ c: flag(true), x }, { y: floats([2, 2], 1, -2, -8, -7) }],
    [{ c: flag(false), x }, { y: floats([2, 2], -1, -1, 3, 3) }],
  ],
);

testControl(
  "If, other sizes in each branch, read by the next node",
  {
    ...branching(
      by("NonZero", ["x"]),
      by("Cast", ["x"], { nodes: [{ op: "Cast", inputs: ["x"], outputs: ["made"], attributes: { to: 6 } }] }),
    ),
    nodes: [
      ...branching(
        { nodes: [{ op: "NonZero", inputs: ["x"], outputs: ["made"] }], outputs: ["made"] },
        {
          nodes: [{ op: "Cast", inputs: ["x"], outputs: ["made"], attributes: { to: 7 } }],
          outputs: ["made"],
        },
      ).nodes,
      { op: "Neg", inputs: ["y"], outputs: ["z"] },
    ],
    outputs: ["z"],
  },
  [
    [{ c: flag(true), x }, { z: tensor("i32", [2, 5], [0, 0, -1, -1, -1, 0, -1, 0, -1, -2]) }],
    [{ c: flag(false), x }, { z: tensor("i32", [2, 3], [-1, 2, 0, -4, -5, 6]) }],
    [{ c: flag(true), x: floats([1, 3], 0, 0, 1) }, { z: tensor("i32", [2, 1], [0, -2]) }],
  ],
);

testControl(
  "If, a branch whose result has the size of what is around it, and nothing else of it",
  branching(
    by("ConstantOfShape", ["s"], {
      nodes: [
        { op: "Shape", inputs: ["x"], outputs: ["s"] },
        { op: "ConstantOfShape", inputs: ["s"], outputs: ["made"] },
      ],
    }),
    by("Neg", ["x"]),
  ),
  [
    [{ c: flag(true), x }, { y: floats([2, 3], 0, 0, 0, 0, 0, 0) }],
    [{ c: flag(false), x: floats([1, 3], 0, 0, 1) }, { y: floats([1, 3], -0, -0, -1) }],
    [{ c: flag(true), x: floats([1, 3], 0, 0, 1) }, { y: floats([1, 3], 0, 0, 0) }],
  ],
);

testControl(
  "If, results that are constants, the same value twice, and what is around it",
  {
    nodes: [
      {
        op: "If",
        inputs: ["c"],
        outputs: ["y", "again", "k", "same"],
        attributes: {
          then_branch: {
            graph: {
              nodes: [{ op: "Exp", inputs: ["x"], outputs: ["made"] }],
              outputs: ["made", "made", "one", "x"],
              initializers: { one: floats([1], 7) },
            },
          },
          else_branch: {
            graph: {
              nodes: [{ op: "Neg", inputs: ["x"], outputs: ["made"] }],
              outputs: ["x", "made", "outer", "x"],
            },
          },
        },
      },
    ],
    inputs: [c, { name: "x", shape: ["n"] }],
    outputs: ["y", "again", "k", "same"],
    initializers: { outer: floats([1], 5) },
  },
  [
    [
      { c: flag(true), x: floats([1], 0) },
      { y: floats([1], 1), again: floats([1], 1), k: floats([1], 7), same: floats([1], 0) },
    ],
    [
      { c: flag(false), x: floats([2], 1, 2) },
      { y: floats([2], 1, 2), again: floats([2], -1, -2), k: floats([1], 5), same: floats([2], 1, 2) },
    ],
  ],
);

const inner = branching(by("Relu", ["x"]), by("Abs", ["x"])).nodes;
const nested: FileModel = branching(
  {
    nodes: [
      { op: "Not", inputs: ["c"], outputs: ["c2"] },
      { ...inner[0]!, inputs: ["c2"], outputs: ["made"] },
    ],
    outputs: ["made"],
  },
  by("Neg", ["x"]),
);
testControl("If in If, which reads two graphs up", nested, [
  [{ c: flag(true), x }, { y: floats([2, 3], 1, 2, 0, 4, 5, 6) }],
  [{ c: flag(false), x }, { y: floats([2, 3], -1, 2, -0, -4, -5, 6) }],
]);

/** A branch that leaves out the dimension 1 of x where a condition says that it is 1, as exporters write squeeze(1). */
const squeezed = (...next: FileModel["nodes"]): FileModel => ({
  nodes: [
    { op: "Shape", inputs: ["x"], outputs: ["s"] },
    { op: "Gather", inputs: ["s", "one"], outputs: ["d"] },
    { op: "Equal", inputs: ["d", "one"], outputs: ["c"] },
    ...branching(by("Squeeze", ["x", "axes"]), by("Identity", ["x"])).nodes,
    ...next,
  ],
  inputs: [{ name: "x", shape: ["n", "k", 3] }],
  outputs: ["z"],
  initializers: {
    one: tensor("i32", [], [1]),
    axes: tensor("i32", [1], [1]),
    all: tensor("i32", [1], [-1]),
    w: floats([3, 1], 1, 10, 100),
    row: floats([1, 3], 1, 2, 3),
  },
});
const product = { op: "MatMul", inputs: ["y", "w"], outputs: ["p"] };
const flat = { op: "Reshape", inputs: ["p", "all"], outputs: ["z"] };
const six = [1, 2, 3, 4, 5, 6];
testControl("If, branches of other ranks that lead to the same rank", squeezed(product, flat), [
  [{ x: floats([2, 1, 3], ...six) }, { z: floats([2], 321, 654) }],
  [{ x: floats([1, 2, 3], ...six) }, { z: floats([2], 321, 654) }],
  [{ x: floats([1, 1, 3], 1, 2, 3) }, { z: floats([1], 321) }],
]);

testControl(
  "If, branches of other ranks that a run's numbers decide, one of two values handed on",
  {
    inputs: [c, { name: "x", shape: ["n", 3] }],
    nodes: [
      {
        ...branching(
          { nodes: [{ op: "Flatten", inputs: ["x"], outputs: ["a"] }], outputs: ["a", "x"] },
          {
            nodes: [
              { op: "Unsqueeze", inputs: ["x", "axes"], outputs: ["a"] },
              { op: "Neg", inputs: ["x"], outputs: ["b"] },
            ],
            outputs: ["a", "b"],
          },
        ).nodes[0]!,
        outputs: ["y", "kept"],
      },
      { op: "Exp", inputs: ["x"], outputs: ["aside"] },
      { op: "Relu", inputs: ["y"], outputs: ["p"] },
      { op: "Add", inputs: ["kept", "aside"], outputs: ["sum"] },
      flat,
    ],
    outputs: ["z", "kept", "sum"],
    initializers: { axes: tensor("i32", [1], [1]), all: tensor("i32", [1], [-1]) },
  },
  [
    [
      { c: flag(true), x: floats([1, 3], 0, -1, 2) },
      {
        z: floats([3], 0, 0, 2),
        kept: floats([1, 3], 0, -1, 2),
        sum: floats([1, 3], 1, 1 / Math.E - 1, 2 + Math.E ** 2),
      },
    ],
    [
      { c: flag(false), x: floats([1, 3], 0, 0, 2) },
      {
        z: floats([3], 0, 0, 2),
        kept: floats([1, 3], -0, -0, -2),
        sum: floats([1, 3], 1, 1, Math.E ** 2 - 2),
      },
    ],
  ],
);

describe("If, a branch that what follows does not take", () => {
  const file = squeezed({ op: "Gemm", inputs: ["y", "w"], outputs: ["z"] });
  const model = () => loadSync(save(importOnnx(onnxFile(file), { name: "tested" })));

  test("is left out: a run that takes the other is right", () => {
    expect(model().runSync({ x: floats([2, 1, 3], ...six) }).z).toEqual(floats([2, 1], 321, 654));
  });

  test("is an error of the run that takes it, with the reason", () => {
    expect(() => model().runSync({ x: floats([1, 2, 3], ...six) })).toThrow(
      expect.objectContaining({
        code: "graph",
        message: expect.stringMatching(/If ".*": its graph else_branch is missing\. .*Gemm/s),
      }),
    );
  });

  test("is not written to ONNX", () => {
    expect(() => onnxOf(importOnnx(onnxFile(file)), toolkit)).toThrow(
      /If ".*": a branch was left out since its sizes do not fit: expected both branches/,
    );
  });

  test("is an error of the import where the other one does not fit either", () => {
    const neither = squeezed({ op: "Gemm", inputs: ["y", "row"], outputs: ["z"] });
    expect(() => importOnnx(onnxFile(neither))).toThrow(
      expect.objectContaining({ code: "graph", message: expect.stringMatching(/Gemm/) }),
    );
  });
});

describe("If whose condition is known", () => {
  test("is the branch, without a step of the host", () => {
    const file = branching(by("Relu", ["x"]), by("Neg", ["x"]), { initializers: { c: flag(false) } });
    const graph = importOnnx(onnxFile(file));
    expect(graph.nodes.map(({ op }) => op)).toEqual(["Neg"]);
    const model = loadSync(graph);
    expect(model.runSync({ x }).y!.data).toEqual(Float32Array.of(-1, 2, -0, -4, -5, 6));
    expect(model.plan.pauses).toEqual([]);
  });

  test("by arithmetic over shapes, of branches that differ in rank", () => {
    const nodes = [
      { op: "Shape", inputs: ["x"], outputs: ["s"] },
      { op: "Gather", inputs: ["s", "at"], outputs: ["d"] },
      { op: "Equal", inputs: ["d", "three"], outputs: ["c"] },
      ...branching(
        by("ReduceSum", ["x", "axes"], {
          nodes: [{ op: "ReduceSum", inputs: ["x", "axes"], outputs: ["made"], attributes: { keepdims: 0 } }],
        }),
        by("Identity", ["x"]),
      ).nodes,
    ];
    const [at, three, axes] = [tensor("i32", [], [1]), tensor("i32", [], [3]), tensor("i32", [1], [1])];
    const file = { nodes, inputs: [{ name: "x", shape: ["n", 3] }], initializers: { at, three, axes } };
    const model = loadSync(importOnnx(onnxFile(file)));
    expect(model.runSync({ x }).y).toEqual(floats([2], -1, 3));
  });

  test("copies what follows branches of other ranks only so often", () => {
    const names = Array.from({ length: 12 }, (_, i) => `c${i}`);
    const ifs = names.map((name, i) => {
      const last = i === 0 ? "x" : `y${i - 1}`;
      const then_branch = { graph: by("Unsqueeze", [last, "axes"]) };
      const else_branch = { graph: by("Identity", [last]) };
      return { op: "If", inputs: [name], outputs: [`y${i}`], attributes: { then_branch, else_branch } };
    });
    const file = onnxFile({
      nodes: [...ifs, { op: "ReduceSum", inputs: ["y11"], outputs: ["y"], attributes: { keepdims: 0 } }],
      inputs: [...names.map((name) => ({ ...c, name })), { name: "x", shape: ["n", 3] }],
      initializers: { axes: tensor("i32", [1], [0]) },
    });
    expect(() => importOnnx(file)).toThrow(
      expect.objectContaining({ code: "limit", expected: expect.stringMatching(/MAX_SPLITS = 32/) }),
    );
  });

  test("gives one value as several outputs, and a constant", () => {
    const branch = {
      nodes: [{ op: "Exp", inputs: ["x"], outputs: ["made"] }],
      outputs: ["made", "made", "k", "x"],
      initializers: { k: floats([1], 7) },
    };
    const attributes = { then_branch: { graph: branch }, else_branch: { graph: branch } };
    const nodes = [{ op: "If", inputs: ["c"], outputs: ["a", "b", "k2", "same"], attributes }];
    const file = {
      nodes,
      inputs: [{ name: "x", shape: [1] }],
      outputs: ["a", "b", "k2", "same"],
      initializers: { c: flag(true) },
    };
    const results = loadSync(importOnnx(onnxFile(file))).runSync({ x: floats([1], 0) });
    expect(Object.values(results).map(({ data }) => data[0])).toEqual([1, 1, 7, 0]);
  });
});

describe("memory of all graphs together is within maxBytes", () => {
  const wide = (seed: number): FileGraph =>
    by("MatMul", ["w", "x"], {
      initializers: { w: { dtype: "f32", shape: [4000, 3], data: new Float32Array(12_000).fill(seed) } },
    });
  const file = branching(wide(1), wide(2), { inputs: [c, { name: "x", shape: [3, "n"] }] });
  const graph = importOnnx(onnxFile(file));
  const xs = (n: number) => floats([3, n], ...new Float32Array(3 * n));

  test("when a model is loaded", () => {
    const { bytes } = loadSync(graph);
    expect(loadSync(graph, { maxBytes: bytes }).bytes).toBe(bytes);
    expect(() => loadSync(graph, { maxBytes: bytes - 1 })).toThrow(
      expect.objectContaining({
        code: "limit",
        where: graph.nodes[0]!.graphs!.else_branch!.name,
        expected: `at most ${bytes - 1} bytes`,
        got: expect.stringMatching(`^${bytes} bytes, \\d+ of other graphs$`),
      }),
    );
  });

  test("when a run needs more", () => {
    const small = loadSync(graph);
    const alone = loadSync(graph);
    alone.runSync({ c: flag(true), x: xs(100) });
    const model = loadSync(graph, { maxBytes: alone.bytes });
    model.runSync({ c: flag(true), x: xs(100) });
    const before = model.bytes;
    expect(before).toBeGreaterThan(small.bytes);
    expect(() => model.runSync({ c: flag(false), x: xs(100) })).toThrow(
      expect.objectContaining({ code: "limit", where: graph.nodes[0]!.graphs!.else_branch!.name }),
    );
    expect(model.bytes).toBe(before);
    const { y } = model.runSync({ c: flag(false), x: floats([3, 1], 1, 2, 3) });
    expect(y!.data.slice(0, 2)).toEqual(Float32Array.of(12, 12));
  });
});

test.each([
  [
    "ranks",
    by("ReduceSum", ["x"], {
      nodes: [{ op: "ReduceSum", inputs: ["x"], outputs: ["made"], attributes: { keepdims: 0 } }],
    }),
    /other types of output 0.*f32 \[\] and f32 \[n, 3\]/,
  ],
  ["element types", by("IsNaN", ["x"]), /other types of output 0.*bool \[n, 3\] and f32 \[n, 3\]/],
  ["numbers of outputs", { nodes: [], outputs: [] }, /other types of output 0.*nothing/],
] as const)("branches of other %s are refused", (_, branch, message) => {
  expect(() => importOnnx(onnxFile(branching(branch, by("Neg", ["x"]))))).toThrow(
    expect.objectContaining({ code: "graph", message: expect.stringMatching(message) }),
  );
});

test("a condition that is no flag is refused", () => {
  const file = {
    ...branching(by("Relu", ["x"]), by("Neg", ["x"])),
    inputs: [
      { name: "c", shape: [] },
      { name: "x", shape: ["n", 3] },
    ],
  };
  expect(() => importOnnx(onnxFile(file))).toThrow(
    /condition does not fit.*expected bool \[\].*got f32 \[\]/s,
  );
});
