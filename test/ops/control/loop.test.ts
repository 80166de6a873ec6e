import { describe, expect, test } from "vitest";
import { type Tensor, tensor } from "../../../src/graph/tensor";
import { importOnnx, loadSync, OctetteError } from "../../../src/index";
import { type FileGraph, type FileInput, type FileModel, onnxFile } from "../../formats/onnx/model-file";
import { testControl } from "./test-control";

const floats = (shape: readonly number[], ...values: number[]): Tensor => tensor("f32", shape, values);
const count = (n: number): Tensor => tensor("i32", [], [n]);
const flag = (holds: boolean): Tensor => tensor("bool", [], [holds ? 1 : 0]);
const [trips, condition] = [
  { name: "trips", shape: [], type: 7 },
  { name: "c", shape: [], type: 9 },
];
const x: FileInput = { name: "x", shape: ["n", 2] };

/** A body: number of the iteration `i`, condition `go`, then what it carries. */
const body = (
  nodes: FileGraph["nodes"],
  carried: readonly string[],
  outputs: readonly string[],
): FileGraph => ({
  nodes,
  inputs: [
    { name: "i", shape: [], type: 7 },
    { name: "go", shape: [], type: 9 },
    ...carried.map((name) => ({ name })),
  ],
  outputs,
});
const loop = (
  inputs: readonly string[],
  outputs: readonly string[],
  graph: FileGraph,
): FileModel["nodes"][number] => ({
  op: "Loop",
  name: "again",
  inputs,
  outputs,
  attributes: { body: { graph } },
});

const adding = body([{ op: "Add", inputs: ["s", "x"], outputs: ["t"] }], ["s"], ["go", "t", "t"]);
testControl(
  "Loop of a trip count, with scan outputs",
  {
    nodes: [loop(["trips", "", "x"], ["last", "all"], adding)],
    inputs: [trips, x],
    outputs: ["last", "all"],
  },
  [
    [
      { trips: count(2), x: floats([1, 2], 1, 3) },
      { last: floats([1, 2], 3, 9), all: floats([2, 1, 2], 2, 6, 3, 9) },
    ],
    [
      { trips: count(0), x: floats([2, 2], 1, 2, 3, 4) },
      { last: floats([2, 2], 1, 2, 3, 4), all: floats([0, 2, 2]) },
    ],
    [
      { trips: count(1), x: floats([2, 2], 1, 2, 3, 4) },
      { last: floats([2, 2], 2, 4, 6, 8), all: floats([1, 2, 2], 2, 4, 6, 8) },
    ],
  ],
);

const doubling = body(
  [
    { op: "Add", inputs: ["s", "s"], outputs: ["t"] },
    { op: "ReduceMax", inputs: ["t"], outputs: ["top"], attributes: { keepdims: 0 } },
    { op: "Less", inputs: ["top", "limit"], outputs: ["on"] },
  ],
  ["s"],
  ["on", "t"],
);
testControl(
  "Loop while a condition holds",
  {
    nodes: [loop(["", "c", "x"], ["y"], doubling)],
    inputs: [condition, x],
    initializers: { limit: floats([], 100) },
  },
  [
    [{ c: flag(true), x: floats([1, 2], 1, 3) }, { y: floats([1, 2], 64, 192) }],
    [{ c: flag(true), x: floats([1, 2], 90, 1) }, { y: floats([1, 2], 180, 2) }],
    [{ c: flag(false), x: floats([1, 2], 1, 3) }, { y: floats([1, 2], 1, 3) }],
  ],
);

const growing = body(
  [
    { op: "Concat", inputs: ["s", "x"], outputs: ["t"], attributes: { axis: 0 } },
    { op: "ReduceSum", inputs: ["t"], outputs: ["sum"], attributes: { keepdims: 0 } },
  ],
  ["s"],
  ["go", "t", "sum"],
);
testControl(
  "Loop that carries a value whose size changes, read by the next node",
  {
    nodes: [
      loop(["trips", "c", "x"], ["all", "sums"], growing),
      { op: "Neg", inputs: ["all"], outputs: ["y"] },
    ],
    inputs: [trips, condition, x],
    outputs: ["y", "sums"],
  },
  [
    [
      { trips: count(2), c: flag(true), x: floats([1, 2], 1, 2) },
      { y: floats([3, 2], -1, -2, -1, -2, -1, -2), sums: floats([2], 6, 9) },
    ],
    [
      { trips: count(0), c: flag(true), x: floats([1, 2], 1, 2) },
      { y: floats([1, 2], -1, -2), sums: floats([0]) },
    ],
    [
      { trips: count(1), c: flag(true), x: floats([2, 2], 1, 2, 3, 4) },
      { y: floats([4, 2], -1, -2, -3, -4, -1, -2, -3, -4), sums: floats([1], 20) },
    ],
  ],
);

const inner = body([{ op: "Add", inputs: ["u", "x"], outputs: ["v"] }], ["u"], ["go", "v"]);
const outer = body(
  [
    { op: "Add", inputs: ["i", "one"], outputs: ["n"] },
    { ...loop(["n", "", "s"], ["t"], inner), name: "" },
  ],
  ["s"],
  ["go", "t"],
);
testControl(
  "Loop in Loop, which reads two graphs up",
  { nodes: [loop(["trips", "", "x"], ["y"], outer)], inputs: [trips, x], initializers: { one: count(1) } },
  // 1 + 2 + … + trips additions of x to itself.
  [1, 3, 2].map((n) => [
    { trips: count(n), x: floats([1, 2], 1, 10) },
    { y: floats([1, 2], 1 + (n * (n + 1)) / 2, 10 + 5 * n * (n + 1)) },
  ]),
);

const swapping = body([{ op: "Identity", inputs: ["b"], outputs: ["b2"] }], ["a", "b"], ["go", "b2", "a"]);
testControl(
  "Loop that exchanges what it carries",
  {
    nodes: [loop(["trips", "", "x", "w"], ["p", "q"], swapping)],
    inputs: [trips, x, { name: "w", shape: ["m", 2] }],
    outputs: ["p", "q"],
  },
  [
    [
      { trips: count(1), x: floats([1, 2], 1, 2), w: floats([2, 2], 3, 4, 5, 6) },
      { p: floats([2, 2], 3, 4, 5, 6), q: floats([1, 2], 1, 2) },
    ],
    [
      { trips: count(2), x: floats([1, 2], 1, 2), w: floats([2, 2], 3, 4, 5, 6) },
      { p: floats([1, 2], 1, 2), q: floats([2, 2], 3, 4, 5, 6) },
    ],
  ],
);

describe("a loop that does not end", () => {
  const endless = body([{ op: "Add", inputs: ["s", "x"], outputs: ["t"] }], ["s"], ["go", "t"]);
  const file = { nodes: [loop(["", "", "x"], ["y"], endless)], inputs: [x] };
  const fed = { x: floats([1, 2], 1, 2) };

  test("is an error of a limit, by default and as options say", () => {
    const graph = importOnnx(onnxFile(file));
    expect(() => loadSync(graph, { maxIterations: 100 }).runSync(fed)).toThrow(
      expect.objectContaining({
        code: "limit",
        message: expect.stringMatching(/Loop "again": loops of the run do not end.*maxIterations = 100 /),
      }),
    );
    expect(() => loadSync(graph).runSync(fed)).toThrow(/maxIterations = 262144/);
  });

  test("within another counts with it, and the model runs again", () => {
    const within = body(
      [loop(["trips", "", "s"], ["t"], { ...endless, outputs: ["go", "t"] })],
      ["s"],
      ["go", "t"],
    );
    const nodes = [
      loop(["trips", "", "x"], ["y"], {
        ...within,
        nodes: within.nodes.map((node) => ({ ...node, name: "in" })),
      }),
    ];
    const model = loadSync(importOnnx(onnxFile({ nodes, inputs: [trips, x] })), { maxIterations: 50 });
    expect(() => model.runSync({ ...fed, trips: count(7) })).toThrow(/maxIterations = 50 /);
    // 6 of the outer one, 36 of the inner one.
    expect(model.runSync({ ...fed, trips: count(6) }).y).toEqual(floats([1, 2], 37, 74));
  });

  test("that grows is an error of memory before there is none left", () => {
    const twice = body(
      [{ op: "Concat", inputs: ["s", "s"], outputs: ["t"], attributes: { axis: 0 } }],
      ["s"],
      ["go", "t"],
    );
    const model = loadSync(
      importOnnx(onnxFile({ nodes: [loop(["", "", "x"], ["y"], twice)], inputs: [x] })),
      { maxBytes: "32MB" },
    );
    expect(() => model.runSync(fed)).toThrow(expect.objectContaining({ code: "limit" }));
  });
});

test.each([
  [
    "a value of another rank",
    body(
      [{ op: "ReduceSum", inputs: ["s"], outputs: ["t"], attributes: { keepdims: 0 } }],
      ["s"],
      ["go", "t"],
    ),
    /another type of "s".*f32 \[n, 2\].*f32 \[\]/,
  ],
  [
    "a value of another element type",
    body([{ op: "IsNaN", inputs: ["s"], outputs: ["t"] }], ["s"], ["go", "t"]),
    /another type of "s"/,
  ],
  ["too few results", body([], ["s"], ["go"]), /its body does not fit/],
  ["no condition", body([], ["s"], ["s", "s"]), /what its body makes as condition does not fit/],
  [
    "as many inputs as it is not given",
    body([], ["s", "t"], ["go", "s", "t"]),
    /does not take as many inputs/,
  ],
] as const)("a body that makes or takes %s is refused", (_, graph, message) => {
  const file = { nodes: [loop(["trips", "", "x"], ["y"], graph)], inputs: [trips, x] };
  expect(() => importOnnx(onnxFile(file))).toThrow(
    expect.objectContaining({ code: "graph", message: expect.stringMatching(message) }),
  );
});

test("scan outputs of different shapes are refused in the run", () => {
  const graph = { ...growing, outputs: ["go", "t", "t"] };
  const model = loadSync(
    importOnnx(
      onnxFile({
        nodes: [loop(["trips", "", "x"], ["y", "all"], graph)],
        inputs: [trips, x],
        outputs: ["all"],
      }),
    ),
  );
  expect(() => model.runSync({ trips: count(3), x: floats([1, 2], 1, 2) })).toThrow(OctetteError);
});

test("10 000 iterations leave memory as it is", () => {
  const model = loadSync(
    importOnnx(
      onnxFile({
        nodes: [loop(["trips", "", "x"], ["y"], { ...adding, outputs: ["go", "t"] })],
        inputs: [trips, x],
      }),
    ),
  );
  const run = (n: number) => model.runSync({ trips: count(n), x: floats([1, 2], 1, 2) }).y!.data[0];
  expect(run(100)).toBe(101);
  const before = model.bytes;
  expect(run(10_000)).toBe(10_001);
  expect(model.bytes).toBe(before);
});
