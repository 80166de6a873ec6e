// Graph → ONNX: models that were imported, quantized and tuned come back as the same graph, names included; what ONNX has no place for is
// refused. Cases of single ops are in their tables (test/ops/exported.ts).

import { beforeAll, describe, expect, test } from "vitest";
import { withPreprocessing } from "../../../src/data/index";
import { readModel } from "../../../src/formats/onnx/proto";
import { WireWriter } from "../../../src/formats/onnx/write-wire";
import type { Graph } from "../../../src/graph/graph";
import { tensor } from "../../../src/graph/tensor";
import {
  type Dataset,
  exportOnnx,
  importOnnx,
  load,
  loadSync,
  openDataset,
  quantize,
  tune,
} from "../../../src/index";
import { toolkitOps } from "../../../src/ops/toolkit";
import { simplify } from "../../../src/passes/index";
import { expectClose } from "../../check-tensors";
import { readExample } from "../../examples";
import { GraphBuilder } from "../../graph-builder";
import { structureOf } from "../../same-graph";
import { onnxFile } from "./model-file";

const normalize = { layout: "nchw", scale: 1 / 16, mean: [0], std: [1] } as const;

const again = async (graph: Graph) => importOnnx(await exportOnnx(graph), { name: graph.name });
/** Names of nodes and of what they make; a zero point of rows is a byte in the file, and another value. */
const namesOf = ({ nodes }: Graph) => nodes.map(({ name, outputs }) => `${name} → ${outputs.slice(0, 2)}`);

async function expectSame(graph: Graph): Promise<void> {
  const read = await again(graph);
  expect(structureOf(read)).toEqual(structureOf(graph));
  expect(namesOf(read)).toEqual(namesOf(graph));
}

describe.each(["digits", "digits_wild"])("%s", (name) => {
  let float: Graph;
  let data: Dataset;
  beforeAll(async () => {
    float = importOnnx(await readExample(`${name}.onnx`), { name });
    data = await openDataset(await readExample("train.npz"), float.inputs, { normalize });
  });

  test("as floats", () => expectSame(float));
  test.each([8, 4])("of %i bits", async (bits) =>
    expectSame((await quantize(float, { calibration: data.take(64).batches(32), bits })).graph));
  test("quantized dynamically", async () => expectSame((await quantize(float, { mode: "dynamic" })).graph));
  test("of 4 bits, tuned", async () =>
    expectSame((await tune(float, { data: data.take(128), bits: 4, epochs: 1 })).graph));
});

const line = (build: (b: GraphBuilder) => string): Graph => {
  const builder = new GraphBuilder();
  return builder.build(build(builder));
};

test("sizes that only a run knows are dimensions by name, and computed where a shape has more of them than one", async () => {
  const graph = line((b) => {
    const x = b.input("x", ["batch", "height", 6]);
    return b.node("Reshape", [x], "y", { shape: ["batch*height", 2, 3], allowzero: 1 });
  });
  const { graph: file } = readModel(await exportOnnx(graph));
  expect(file.inputs[0]!.shape).toEqual(["batch", "height", 6]);
  expect(file.outputs[0]!.shape).toEqual(["batch*height", 2, 3]);
  expect(structureOf(await again(graph))).toEqual(structureOf(graph));
});

test("sizes below 0 of what only its shape is read are refused by the file, too", async () => {
  const graph = simplify(
    line((b) => {
      const x = b.input("x", ["n"]);
      b.multiple("Split", [x], ["ends", "cut"], { split: [2, "-2+n"] });
      return b.node(
        "Mul",
        [x, b.node("Cast", [b.node("Shape", ["cut"], "size")], "count", { to: "f32" })],
        "y",
      );
    }),
    toolkitOps,
  );
  const { graph: file } = readModel(await exportOnnx(graph));
  const empty = file.nodes.find(({ opType }) => opType === "ConstantOfShape")!;
  // What no node reads might be left out.
  expect(file.nodes.some(({ inputs }) => inputs.includes(empty.outputs[0]!))).toBe(true);
  const model = await load(await again(graph));
  expect([...model.runSync({ x: tensor("f32", [4], [1, 2, 3, 4]) }).y!.data]).toEqual([2, 4, 6, 8]);
  expect(() => model.runSync({ x: tensor("f32", [1], [1]) })).toThrow(/a size is below 0.*-2\+n/);
  model.dispose();
});

test("quotients of what may be below 0 are rounded down in the file, too", async () => {
  const graph = simplify(
    line((b) => {
      const x = b.input("x", ["n"]);
      b.input("z", ["m"]);
      const [starts, ends] = [["m"], [1]];
      const cut = b.node("Slice", [x], "cut", { starts, ends, axes: [0], steps: [-2] });
      return b.node("Cast", [b.node("Shape", [cut], "size")], "y", { to: "f32" });
    }),
    toolkitOps,
  );
  const { graph: file } = readModel(await exportOnnx(graph));
  expect(file.nodes.map(({ opType }) => opType)).toContain("Mod");
  const read = await again(graph);
  expect(structureOf(await again(read))).toEqual(structureOf(read));
  const model = await load(read);
  for (const n of [2, 1, 3, 4, 9])
    for (const m of [0, 1, 2, 5]) {
      const kept = Math.ceil((Math.min(n - 1, m) - Math.min(n - 1, 1)) / 2);
      const { y } = model.runSync({ x: new Float32Array(n), z: new Float32Array(m) });
      expect([...y!.data]).toEqual([Math.max(0, kept)]);
    }
  model.dispose();
});

test("a Reshape to a size that may be another is refused in the file where it is", async () => {
  const graph = line((b) =>
    b.node("Reshape", [b.input("x", ["n", "m"])], "y", { shape: ["n"], allowzero: 1 }),
  );
  const read = await again(graph);
  expect(structureOf(read)).toEqual(structureOf(graph));
  const model = await load(read);
  const run = (n: number, m: number) =>
    model.runSync({ x: tensor("f32", [n, m], new Float32Array(n * m)) }).y!;
  expect(run(3, 1).shape).toEqual([3]);
  expect(run(0, 5).shape).toEqual([0]);
  expect(() => run(3, 2)).toThrow(/sizes differ: expected m\*n = n, got 6 and 3/);
  model.dispose();
});

test("of a Reshape, one dimension that depends on symbols is −1", async () => {
  const graph = line((b) => {
    const x = b.node("Reshape", [b.input("x", ["n", 4])], "x_7", {
      shape: [7, "div(4*n,7)", 1],
      allowzero: 1,
    });
    const moved = b.node("Transpose", [x], "moved", { perm: [1, 0, 2] });
    return b.node("Reshape", [moved], "y", { shape: ["div(4*n,7)", 7] });
  });
  const { graph: file } = readModel(await exportOnnx(graph));
  expect(file.nodes.map(({ opType }) => opType)).toEqual(["Reshape", "Transpose", "Reshape"]);
  const read = await again(graph);
  expect(read.nodes[0]!.attributes.shape).toEqual([7, "div(4*n,7)", 1]);
  expect(structureOf(await again(read))).toEqual(structureOf(read));
});

test("the opset is 21, or that of the latest operator", async () => {
  const of = async (op: string, attributes = {}) => {
    const graph = line((b) => b.node(op, [b.input("x", [2, 3])], "y", attributes));
    return readModel(await exportOnnx(graph)).opsetImport;
  };
  expect(await of("Relu")).toEqual([{ domain: "", version: 21 }]);
  expect(await of("Swish", { alpha: 0.5 })).toEqual([{ domain: "", version: 24 }]);
});

test("axes of a Transpose are counted from the first", async () => {
  const graph = line((b) => b.node("Transpose", [b.input("x", [2, 3, 4])], "y", { perm: [0, -1, -2] }));
  const { graph: file } = readModel(await exportOnnx(graph));
  expect(file.nodes[0]!.attributes.get("perm")).toMatchObject({ value: [0, 2, 1] });
});

test.each([
  [0.99, [-1, 1], ["Conv"]],
  [1.5, [-1, 1], ["Conv", "Clip"]],
  [1, [0, Infinity], ["Conv", "Relu"]],
])("codes within ±%d saturate as a clamp to %o, or it is written", async (reach, [lo, hi], expected) => {
  const scale = tensor("f32", [], [(2 * reach) / 255]);
  const inputs = [
    { scale: "s", zeroPoint: "z" },
    { scale: "s", zeroPoint: "" },
  ];
  const graph: Graph = {
    name: "clamped",
    inputs: [{ name: "x", dtype: "u8", shape: [1, 1, 2, 2] }],
    outputs: ["y"],
    nodes: [
      {
        op: "Conv",
        name: "conv",
        inputs: ["x", "w"],
        outputs: ["y"],
        attributes: {},
        codes: { inputs, output: { scale: "ys", zeroPoint: "z" }, bounds: { lo: lo!, hi: hi! } },
      },
    ],
    constants: new Map([
      ["w", tensor("i8", [1, 1, 1, 1], [3])],
      ["s", tensor("f32", [], [0.01])],
      ["ys", scale],
      ["z", tensor("u8", [], [128])],
    ]),
    provenance: {},
  };
  const { graph: file } = readModel(await exportOnnx(graph));
  const ops = file.nodes.map(({ opType }) => opType);
  expect(ops.filter((op) => !op.endsWith("Linear"))).toEqual(expected);
});

test("weights in groups are codes in blocks", async () => {
  const codes = Int8Array.from({ length: 3 * 64 }, (_, i) => (i % 15) - 7);
  const graph: Graph = {
    name: "groups",
    inputs: [{ name: "x", dtype: "f32", shape: ["batch", 64] }],
    outputs: ["y"],
    nodes: [
      {
        op: "Linear",
        name: "linear",
        inputs: ["x_codes", "w"],
        outputs: ["y"],
        attributes: {},
        codes: {
          inputs: [
            { scale: "x_scale", zeroPoint: "x_zero", axis: -1 },
            { scale: "w_scale", zeroPoint: "", axis: 0, groups: { size: 32, scales: "w_groups" } },
          ],
        },
      },
    ],
    constants: new Map([
      ["w", tensor("i8", [3, 64], codes)],
      ["w_scale", tensor("f32", [3], [0.5, 0.25, 0.125])],
      ["w_groups", tensor("i8", [3, 2], [1, 2, 3, 4, 5, 6])],
    ]),
    provenance: {},
  };
  const quantizing = {
    op: "DynamicQuantize",
    name: "quantize",
    inputs: ["x"],
    outputs: ["x_codes", "x_scale", "x_zero"],
    attributes: { axis: -1 },
  };
  const whole = { ...graph, nodes: [quantizing, ...graph.nodes] };
  const bytes = await exportOnnx(whole);
  const file = readModel(bytes).graph;
  const dequantize = file.nodes.find(({ opType }) => opType === "DequantizeLinear")!;
  expect(dequantize.attributes.get("block_size")).toMatchObject({ value: 32 });
  const INT4 = 22;
  expect(file.initializers.find(({ name }) => name === "w")).toMatchObject({ dataType: INT4, dims: [3, 64] });
  const x = tensor(
    "f32",
    [2, 64],
    Float32Array.from({ length: 128 }, (_, i) => Math.sin(i)),
  );
  const [own, read] = [whole, importOnnx(bytes)].map((one) =>
    loadSync(one, { maxima: { batch: 2 } }).runSync({ x }),
  );
  expectClose(read!.y, own!.y!, "y");
});

test.each([
  ["MaxPool", {}],
  ["AveragePool", {}],
  ["AveragePool", { dilations: [1, 1] }],
])("%s whose last window would begin in the padding is rounded down over the padding that it takes %j", async (op, more) => {
  const attributes = { kernel_shape: [3, 2], strides: [1, 3], pads: [0, 1, 0, 1], ceil_mode: 1, ...more };
  const graph = line((b) => b.node(op, [b.input("x", ["batch", 1, 3, 2])], "y", attributes));
  const read = await again(graph);
  expect(read.nodes[0]!.attributes).toMatchObject({ pads: [0, 1, 0, 0] });
  expect(read.nodes[0]!.attributes.ceil_mode ?? 0).toBe(0);
  const x = tensor("f32", [1, 1, 3, 2], [1, -2, 3, 4, 5, -6]);
  const [own, other] = [graph, read].map((one) => loadSync(one).runSync({ x }).y!);
  expect(own!.shape).toEqual([1, 1, 1, 1]);
  expect(other).toEqual(own);
});

describe("what ONNX, or ONNX Runtime, has in one form", () => {
  const written = async (graph: Graph) => readModel(await exportOnnx(graph)).graph;

  test("lengths of sequences are int32", async () => {
    const graph = line((b) => {
      const operands = [b.input("x", [3, 2, 4]), b.floats("w", [1, 3, 4], 1), b.floats("r", [1, 3, 3], 1)];
      const lengths = b.constant("lengths", tensor("i32", [2], [3, 1]));
      return b.node("RNN", [...operands, "", lengths], "y", { hidden_size: 3 });
    });
    const { nodes, initializers } = await written(graph);
    const lengths = initializers.find(({ name }) => name === nodes[0]!.inputs[4]);
    expect(lengths?.dataType).toBe(6);
    await expectSame(await again(graph));
  });

  test("a mask has a row for each query", async () => {
    const graph = line((b) => {
      const x = b.input("x", ["batch", 2, 3, 4]);
      return b.node("Attention", [x, x, x, b.input("mask", ["batch", 1, 1, 3])], "y");
    });
    const { nodes } = await written(graph);
    expect(nodes.map(({ opType }) => opType)).toEqual(["Expand", "Attention"]);
    const [x, mask] = [24, 3].map((n) => Float32Array.from({ length: 2 * n }, (_, i) => Math.sin(i)));
    const [own, read] = [graph, await again(graph)].map((one) =>
      loadSync(one, { maxima: { batch: 2 } }).runSync({ x: x!, mask: mask! }),
    );
    expectClose(read!.y, own!.y!, "y");
  });

  test.each([
    ["floats", "f32", ["Softmax", "QuantizeLinear"]],
    ["codes", "u8", ["DequantizeLinear", "LogSoftmax", "Exp", "QuantizeLinear"]],
  ] as const)("a softmax of %s that makes codes", async (_, dtype, ops) => {
    const graph = line((b) => {
      const [scale, zero] = [
        b.constant("scale", tensor("f32", [], [1 / 900])),
        b.constant("zero", tensor("u8", [], [7])),
      ];
      const x = b.input("x", [2, 16], dtype);
      const numbers = dtype === "u8" ? b.node("DequantizeLinear", [x, scale, zero], "numbers") : x;
      return b.node("QuantizeLinear", [b.node("Softmax", [numbers], "y"), scale, zero], "codes");
    });
    const { nodes } = await written(graph);
    expect(nodes.map(({ opType }) => opType)).toEqual(ops);
    const numbers = Array.from({ length: 32 }, (_, i) => Math.abs(Math.sin(i)) * 200);
    const x = tensor(dtype, [2, 16], numbers);
    const [own, read] = [graph, await again(graph)].map((one) => loadSync(one).runSync({ x }));
    expect(read!.codes).toEqual(own!.codes);
  });

  test("thresholds that a run is given stay floats", async () => {
    const threshold = {
      op: "NonMaxSuppression",
      inputs: ["boxes", "scores", "most", "overlap"],
      outputs: ["y"],
    };
    const inputs = [
      { name: "boxes", shape: [1, 3, 4] },
      { name: "scores", shape: [1, 1, 3] },
      { name: "most", shape: [], type: 7 },
      { name: "overlap", shape: [] },
    ];
    const graph = importOnnx(onnxFile({ nodes: [threshold], inputs }));
    const feeds = {
      boxes: Float32Array.of(0, 0, 2, 2, 0, 0, 2, 1.5, 3, 3, 4, 4),
      scores: Float32Array.of(0.9, 0.8, 0.7),
      most: tensor("i32", [], [3]),
    };
    for (const read of [graph, await again(graph)]) {
      const model = await load(read);
      const found = async (overlap: number) => {
        const { y } = await model.run({ ...feeds, overlap: tensor("f32", [], [overlap]) });
        return Array.from(y!.data).filter((_, i) => i % 3 === 2);
      };
      expect([await found(0.5), await found(0.9)]).toEqual([
        [0, 2],
        [0, 1, 2],
      ]);
      model.dispose();
    }
  });
});

test("scales of a LayerNormalization over several axes have their shape", async () => {
  const graph = line((b) => {
    const operands = [b.floats("scale", [6], 1), b.floats("bias", [6], 1)];
    return b.node("LayerNormalization", [b.input("x", ["batch", 2, 3]), ...operands], "y", { axis: 1 });
  });
  const read = await again(graph);
  expect([...read.constants.values()].map(({ shape }) => shape)).toEqual([
    [2, 3],
    [2, 3],
  ]);
  const x = tensor("f32", [2, 2, 3], [1, 2, 4, 8, 3, 0, -1, 2, 5, 5, 1, 7]);
  expect(loadSync(read).runSync({ x }).y).toEqual(loadSync(graph).runSync({ x }).y);
});

test("a grid that may be of one pixel along an axis is the same for each size", async () => {
  const graph = line((b) => {
    const sizes = [b.input("theta", ["batch", 2, 3]), b.input("x", ["batch", 1, "height", 2])];
    b.node("AffineGrid", [sizes[0]!], "y", { size: ["batch", 1, "height", 2], align_corners: 1 });
    return b.node("GridSample", [sizes[1]!, "y"], "sampled", { align_corners: 1 });
  });
  const read = await again({ ...graph, outputs: ["y"] });
  expect(read.nodes.find(({ op }) => op === "AffineGrid")!.attributes.align_corners ?? 0).toBe(0);
  const theta = tensor("f32", [1, 2, 3], [0.7, -0.2, 0.1, 0.3, 1.1, -0.4]);
  for (const height of [1, 2, 5]) {
    const x = tensor("f32", [1, 1, height, 2], new Float32Array(2 * height));
    const [own, other] = [{ ...graph, outputs: ["y"] }, read].map((one) =>
      loadSync(one).runSync({ theta, x }),
    );
    expectClose(other!.y, own!.y!, "y");
  }
});

test("codes of a constant, found at run time", async () => {
  const graph = line((b) => {
    b.multiple("DynamicQuantize", [b.floats("c", [2, 3], 1)], ["codes", "scale", "zero"]);
    return b.node("Add", ["scale", b.input("x", ["batch"])], "y");
  });
  const x = tensor("f32", [2], [1, 2]);
  expect(loadSync(await again(graph)).runSync({ x }).y).toEqual(loadSync(graph).runSync({ x }).y);
});

test("how feeds are normalized stands in the metadata", async () => {
  const float = importOnnx(await readExample("digits.onnx"));
  const data = await openDataset(await readExample("test.npz"), float.inputs, { normalize });
  const { metadata } = readModel(await exportOnnx(withPreprocessing(float, data)));
  expect(JSON.parse(metadata.get("octette.preprocessing.image")!)).toMatchObject(normalize);
});

test("equal graphs give equal bytes", async () => {
  const file = await readExample("digits.onnx");
  expect(await exportOnnx(importOnnx(file))).toEqual(await exportOnnx(importOnnx(file)));
});

describe("graphs within a graph", () => {
  const floats = (shape: readonly number[], ...values: number[]) => tensor("f32", shape, values);
  /** x and weights as codes, a convolution, its result as codes again. */
  const coded = (scale: string, last: string) => ({
    nodes: [
      { op: "QuantizeLinear", inputs: ["x", "s", "z"], outputs: ["q"] },
      { op: "DequantizeLinear", inputs: ["q", "s", "z"], outputs: ["x_real"] },
      { op: "DequantizeLinear", inputs: ["w", "s"], outputs: ["w_real"] },
      { op: "Conv", inputs: ["x_real", "w_real"], outputs: ["r"] },
      { op: last, inputs: ["r"], outputs: ["a"] },
      { op: "QuantizeLinear", inputs: ["a", scale, "z"], outputs: ["made_codes"] },
      { op: "DequantizeLinear", inputs: ["made_codes", scale, "z"], outputs: ["made"] },
    ],
    outputs: ["made"],
  });
  const file = onnxFile({
    nodes: [
      {
        op: "If",
        inputs: ["c"],
        outputs: ["y"],
        attributes: {
          then_branch: { graph: coded("wide", "Relu") },
          else_branch: { graph: coded("narrow", "Identity") },
        },
      },
    ],
    inputs: [
      { name: "c", shape: [], type: 9 },
      { name: "x", shape: ["n", 2, 3, 3] },
    ],
    initializers: {
      s: floats([], 0.05),
      z: tensor("u8", [], [128]),
      w: tensor(
        "i8",
        [2, 2, 2, 2],
        Array.from({ length: 16 }, (_, i) => ((i * 7) % 31) - 15),
      ),
      wide: floats([], 0.04),
      narrow: floats([], 0.02),
    },
  });

  test("their integer layers are between QuantizeLinear and DequantizeLinear, their constants in the outermost one", async () => {
    const graph = importOnnx(file, { name: "coded" });
    for (const body of Object.values(graph.nodes[0]!.graphs!))
      expect(body.nodes.filter(({ codes }) => codes).map(({ op }) => op)).toEqual(["Conv"]);
    const bytes = await exportOnnx(graph);
    const written = readModel(bytes).graph;
    expect(written.initializers.filter(({ dataType }) => dataType === 3)).toHaveLength(1);
    const bodies = [...written.nodes[0]!.attributes.values()].flatMap((own) =>
      own.kind === "graph" ? [own.value] : [],
    );
    for (const { initializers, inputs, nodes } of bodies) {
      expect([initializers, inputs]).toEqual([[], []]);
      expect(nodes.map(({ opType }) => opType)).toEqual(expect.arrayContaining(["Conv", "DequantizeLinear"]));
    }
    const names = bodies.flatMap(({ nodes }) => nodes.flatMap(({ outputs }) => outputs));
    expect(new Set(names).size).toBe(names.length);
    const read = importOnnx(bytes, { name: "coded" });
    expect(structureOf(read)).toEqual(structureOf(graph));
    const x = tensor(
      "f32",
      [2, 2, 3, 3],
      Float32Array.from({ length: 36 }, (_, i) => Math.sin(i)),
    );
    for (const holds of [0, 1]) {
      const feeds = { x, c: tensor("bool", [], [holds]) };
      expect(loadSync(read).runSync(feeds)).toEqual(loadSync(graph).runSync(feeds));
    }
  });

  test("operators that ONNX does not have are named in them, too", async () => {
    const body = line((b) => {
      const [x, before] = [b.input("x", [1, 5, 8]), b.input("before", [2, 8])];
      return b.node("CausalConv", [x, b.floats("w", [8, 3], 1), "", before], "y");
    });
    const node = {
      op: "If",
      name: "if",
      inputs: ["c", "x", "before"],
      outputs: ["y"],
      attributes: { found: ["n", "t", "k"] },
      graphs: { then_branch: body, else_branch: body },
    };
    const c = { name: "c", dtype: "bool", shape: [] } as const;
    const graph = { ...body, inputs: [c, ...body.inputs], nodes: [node], constants: new Map() };
    await expect(exportOnnx(graph)).rejects.toThrow(/operators that ONNX does not have: got CausalConv in "/);
  });
});

describe("refused", () => {
  test("states", async () => {
    const graph = line((b) => b.node("Relu", [b.input("x", [2])], "y"));
    const states = [{ name: "cache", dtype: "f32", shape: [4] }] as const;
    await expect(exportOnnx({ ...graph, states })).rejects.toThrow(
      'graph "check": it keeps states, which ONNX has no place for: got "cache".',
    );
  });

  test("operators that ONNX does not have, all of them", async () => {
    const graph = line((b) => {
      const [x, before] = [b.input("x", [1, 5, 8]), b.input("before", [2, 8])];
      return b.node("CausalConv", [x, b.floats("w", [8, 3], 1), "", before], "y");
    });
    await expect(exportOnnx(graph)).rejects.toThrow(/operators that ONNX does not have: got CausalConv in "/);
  });

  test("an option that there is none of", async () => {
    const graph = line((b) => b.node("Relu", [b.input("x", [2])], "y"));
    await expect(exportOnnx(graph, { opset: 17 } as object)).rejects.toThrow(/opset/);
  });
});

test("numbers of every size are read as they were written", () => {
  const values = [0, 1, 127, 128, 300, 2 ** 31, 2 ** 53 - 1, -1, -128, -(2 ** 31)];
  const wire = new WireWriter();
  wire.message(7, (graph) =>
    graph.message(1, (node) =>
      node.message(5, (attribute) => {
        attribute.string(1, "values");
        attribute.integers(8, values);
        attribute.integer(20, 7);
      }),
    ),
  );
  const [node] = readModel(wire.finish()).graph.nodes;
  expect(node!.attributes.get("values")).toMatchObject({ kind: "ints", value: values });
});
