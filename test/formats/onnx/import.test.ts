import { describe, expect, test } from "vitest";
import { conversions } from "../../../build/groups/conversions";
import { OctetteError } from "../../../src/errors";
import { type OnnxOptions, readOnnx } from "../../../src/formats/onnx/import";
import type { Source } from "../../../src/formats/onnx/source";
import { tensor } from "../../../src/graph/tensor";
import { inferTypes } from "../../../src/ops/infer";
import { toolkitOps } from "../../../src/ops/toolkit";
import { simplify } from "../../../src/passes/index";
import { expectOnlyOctetteErrors } from "../fixtures";
import { type FileInput, type FileModel, type FileNode, onnxFile } from "./model-file";

const read = (model: FileModel, options?: OnnxOptions) => readOnnx(onnxFile(model), options);
const one = (op: string, more: Partial<FileNode> = {}): FileNode => ({
  op,
  inputs: ["x"],
  outputs: ["y"],
  ...more,
});
const i32 = (...values: number[]) => tensor("i32", [values.length], values);

/** The node that a single node of an opset becomes. */
const converted = (opset: number, node: FileNode, initializers: FileModel["initializers"] = {}) =>
  read({ opset, nodes: [node], initializers }).nodes;

describe("old forms of operators", () => {
  const forms: Record<string, [number, FileNode, object]> = {
    "Clip of opset 7": [
      7,
      one("Clip", { attributes: { min: 0.5, max: 5.5 } }),
      { attributes: { min: 0.5, max: 5.5 } },
    ],
    "Dropout of opset 7": [
      7,
      one("Dropout", { attributes: { ratio: 0.5 } }),
      { op: "Dropout", attributes: {} },
    ],
    "Pad of opset 2": [
      9,
      one("Pad", { attributes: { pads: [0, 1, 0, 1], mode: "constant", value: 0.5 } }),
      { attributes: { pads: [0, 1, 0, 1], mode: "constant", value: 0.5 } },
    ],
    "Slice of opset 1": [
      9,
      one("Slice", { attributes: { starts: [1], ends: [3], axes: [1] } }),
      { attributes: { starts: [1], ends: [3], axes: [1] } },
    ],
    "Squeeze of opset 11": [
      11,
      one("Squeeze", { attributes: { axes: [-1] } }),
      { attributes: { axes: [-1] } },
    ],
    "Swish of opset 24": [24, one("Swish"), { op: "Silu", attributes: {} }],
    "Cast to INT64": [13, one("Cast", { attributes: { to: 7 } }), { attributes: { to: "i32" } }],
    "Cast to FLOAT16": [13, one("Cast", { attributes: { to: 10 } }), { attributes: { to: "f32" } }],
    "ConstantOfShape of nothing": [9, one("ConstantOfShape"), { attributes: { dtype: "f32", value: 0 } }],
    "ConstantOfShape of integers": [
      9,
      one("ConstantOfShape", { attributes: { value: i32(3) } }),
      { attributes: { dtype: "i32", value: 3 } },
    ],
    "Softmax of opset 13": [13, one("Softmax"), { op: "Softmax", attributes: { axis: -1 } }],
  };
  for (const [name, [opset, node, expected]] of Object.entries(forms))
    test(name, () =>
      expect(converted(opset, node)).toMatchObject([{ inputs: ["x"], outputs: ["y"], ...expected }]),
    );

  test("Softmax of opset 11 over everything from its axis on", () => {
    const nodes = converted(11, one("Softmax", { name: "soft" }));
    expect(nodes.map(({ op }) => op)).toEqual(["Shape", "Flatten", "Softmax", "Reshape"]);
    const graph = read({ opset: 11, nodes: [one("Softmax", { name: "soft" })] });
    expect(simplify(graph, toolkitOps).nodes).toMatchObject([
      { op: "Softmax", name: "soft", inputs: ["x"], outputs: ["y"], attributes: { axis: -1 } },
    ]);
  });

  test.each(["Softmax", "LogSoftmax"])("%s of opset 7 keeps dimensions of nothing", (op) => {
    const inputs = [{ name: "x", shape: [0, 0, 2, 5] }];
    for (const axis of [-1, 1, 2]) {
      const graph = simplify(
        read({ opset: 7, nodes: [one(op, { attributes: { axis } })], inputs }),
        toolkitOps,
      );
      expect(inferTypes(graph, toolkitOps).get("y")!.shape).toEqual([0, 0, 2, 5]);
    }
  });

  test("Slice of opset 9 to about the largest int64", () => {
    const attributes = { axes: { ints: [1] }, starts: { ints: [1] }, ends: { ints: [2 ** 63 - 1024] } };
    const [node] = converted(9, one("Slice", { attributes }));
    expect(node!.attributes).toEqual({ axes: [1], starts: [1], ends: [2 ** 31 - 1] });
  });

  test.each([
    [11, "output_half_pixel"],
    [16, undefined],
  ])("RoiAlign of opset %i measures from %s", (opset, mode) => {
    const nodes = [{ op: "RoiAlign", inputs: ["x", "rois", "images"], outputs: ["y"] }];
    const inputs = [
      { name: "x", shape: [1, 1, 4, 4] },
      { name: "rois", shape: [1, 4] },
      { name: "images", shape: [1], type: 7 },
    ];
    const [node] = readOnnx(onnxFile({ opset, nodes, inputs })).nodes;
    expect(node!.attributes.coordinate_transformation_mode).toBe(mode);
  });

  test("QLinearConv and QLinearMatMul are the float operator between codes", () => {
    const inputs = ["x", "xs", "xz", "w", "ws", "wz", "ys", "yz", "b"];
    const given = Object.fromEntries(inputs.slice(1).map((name) => [name, i32(0)]));
    const conv = converted(10, one("QLinearConv", { name: "q", inputs, attributes: { group: 2 } }), given);
    expect(conv).toMatchObject([
      { op: "DequantizeLinear", inputs: ["x", "xs", "xz"] },
      { op: "DequantizeLinear", inputs: ["w", "ws", "wz"], attributes: { axis: 0 } },
      { op: "Mul", inputs: ["xs", "ws"] },
      { op: "DequantizeLinear", inputs: ["b", "q_b_scale"], attributes: { axis: 0 } },
      { op: "Conv", name: "q", inputs: ["q_x", "q_w", "q_b"], attributes: { group: 2 } },
      { op: "QuantizeLinear", inputs: ["q_real", "ys", "yz"], outputs: ["y"] },
    ]);
    const product = converted(10, one("QLinearMatMul", { name: "q", inputs: inputs.slice(0, 8) }), given);
    expect(product).toMatchObject([
      { op: "DequantizeLinear", inputs: ["x", "xs", "xz"] },
      { op: "DequantizeLinear", inputs: ["w", "ws", "wz"], attributes: { axis: -1 } },
      { op: "MatMul", name: "q", inputs: ["q_a", "q_b"] },
      { op: "QuantizeLinear", inputs: ["q_real", "ys", "yz"], outputs: ["y"] },
    ]);
  });

  test("Sum of three is two Adds", () => {
    const inputs = ["a", "b", "c"].map((name) => ({ name, shape: [2] }));
    const { nodes } = read({ nodes: [one("Sum", { name: "sum", inputs: ["a", "b", "c"] })], inputs });
    expect(nodes).toMatchObject([
      { op: "Add", inputs: ["a", "b"] },
      { op: "Add", name: "sum", inputs: [nodes[0]!.outputs[0], "c"], outputs: ["y"] },
    ]);
  });

  test("Constants become constants, whatever they are written as", () => {
    const values = { value: i32(7), value_float: 0.5, value_ints: [2, 3], value_int: 4 } as const;
    const names = Object.keys(values) as (keyof typeof values)[];
    const nodes: FileNode[] = names.map((name) => ({
      op: "Constant",
      outputs: [name],
      attributes: { [name]: values[name] },
    }));
    const graph = read({ nodes: [...nodes, one("Concat", { inputs: names, attributes: { axis: 0 } })] });
    expect(
      names.map((name) => [graph.constants.get(name)!.dtype, [...graph.constants.get(name)!.data]]),
    ).toEqual([
      ["i32", [7]],
      ["f32", [0.5]],
      ["i32", [2, 3]],
      ["i32", [4]],
    ]);
    expect(graph.nodes.length).toBe(1);
  });

  test("every operator it makes is in the registry", () => {
    const written = [
      "BlackmanWindow",
      "ConcatFromSequence",
      "ConvInteger",
      "DynamicQuantizeLinear",
      "HammingWindow",
      "HannWindow",
      "LpNormalization",
      "MatMulInteger",
      "MeanVarianceNormalization",
      "MelWeightMatrix",
      "QLinearConv",
      "QLinearMatMul",
      "Scatter",
      "SequenceAt",
      "SequenceConstruct",
      "SequenceEmpty",
      "SequenceErase",
      "SequenceInsert",
      "SequenceLength",
      "SequenceMap",
      "SimplifiedLayerNormalization",
      "SoftmaxCrossEntropyLoss",
      "SplitToSequence",
      "Sum",
      "Upsample",
    ];
    // Those of other domains are written with others, too.
    const made = Object.keys(conversions).filter((op) => !written.includes(op) && !op.includes("."));
    expect(made.filter((op) => !Object.hasOwn(toolkitOps, op))).toEqual([]);
    const own = Object.keys(toolkitOps).filter((op) => toolkitOps[op]!.onnx === false);
    expect(Object.keys(toolkitOps).filter((op) => !made.includes(op))).toEqual(own);
  });
});

describe("inputs", () => {
  const shapeOf = (inputs: readonly FileInput[], options?: OnnxOptions) =>
    read({ nodes: [one("Relu", { inputs: [inputs[0]!.name] })], inputs }, options).inputs.map(
      ({ shape }) => shape,
    );

  test("names of dimensions become symbols", () =>
    expect(shapeOf([{ name: "x", shape: ["batch size", "2d", "batch_size", 4] }])).toEqual([
      ["batch_size", "_2d", "batch_size_2", 4],
    ]));
  test("dimensions without a name get one; the first of two or more is the batch", () =>
    expect(
      shapeOf([
        { name: "x.1", shape: [null, 3, null] },
        { name: "mask", shape: [null] },
        { name: "y.1", shape: [null, null] },
      ]),
    ).toEqual([["batch", 3, "x_1_2"], ["mask_0"], ["batch", "y_1_1"]]));
  test("names of dimensions may be those of objects' own parts", () => {
    const names = ["constructor", "__proto__", "toString", "valueOf", "hasOwnProperty"];
    expect(shapeOf([{ name: "x", shape: names }])).toEqual([names]);
    expect(shapeOf([{ name: "x", shape: names }], { symbols: { toString: 3 } as never })[0]![2]).toBe(3);
  });

  test("symbols can be fixed, by either name", () => {
    const inputs = [{ name: "x", shape: ["batch size", null, "n"] }];
    expect(shapeOf(inputs, { symbols: { "batch size": 2, x_1: 8, n: 3 } })).toEqual([[2, 8, 3]]);
    expect(shapeOf(inputs, { symbols: { batch_size: 2 } })).toEqual([[2, "x_1", "n"]]);
  });
  test("a symbol that is not there cannot", () => {
    expect(() => shapeOf([{ name: "x", shape: ["batch", 3] }], { symbols: { bacth: 1 } })).toThrow(
      "model, options.symbols: unknown symbol: expected batch, got bacth",
    );
    expect(() => shapeOf([{ name: "x", shape: ["batch"] }], { symbols: { batch: 0 } })).toThrow(OctetteError);
  });
  test("of old files, initializers are no inputs", () => {
    const inputs = [
      { name: "x", shape: [2, 4] },
      { name: "w", shape: [4] },
    ];
    const graph = read({
      nodes: [one("Add", { inputs: ["x", "w"] })],
      inputs,
      initializers: { w: tensor("f32", [4], [1, 0, 0, 0]) },
    });
    expect(graph.inputs.map(({ name }) => name)).toEqual(["x"]);
    expect([...graph.constants.keys()]).toEqual(["w"]);
  });
  test("int64 becomes i32, half f32", () => {
    const dtypes = [7, 10, 11, 9].map(
      (type) =>
        read({ nodes: [one("Identity")], inputs: [{ name: "x", shape: [1], type }] }).inputs[0]!.dtype,
    );
    expect(dtypes).toEqual(["i32", "f32", "f32", "bool"]);
  });
});

describe("names of nodes", () => {
  test("are made where the file has none, and stay unique", () => {
    const relu = (from: string, to: string, name = ""): FileNode => ({
      op: "Relu",
      inputs: [from],
      outputs: [to],
      name,
    });
    const { nodes } = read({
      nodes: [relu("x", "a"), relu("a", "b", "act"), relu("b", "c", "act"), relu("c", "y", "Relu_0")],
    });
    expect(nodes.map(({ name }) => name)).toEqual(["Relu_0_2", "act", "act_2", "Relu_0"]);
  });
});

describe("what octette cannot take is an error that says so", () => {
  test("all missing operators at once", () => {
    const nodes = [
      one("StringSplit", { outputs: ["a"], name: "rnn" }),
      one("Relu", { inputs: ["a"], outputs: ["b"] }),
      one("Sampling", { inputs: ["b"], outputs: ["c"], domain: "com.microsoft", name: "sampled" }),
      one("StringSplit", { inputs: ["c"], outputs: ["d"] }),
      one("Mine", { inputs: ["d"], domain: "local" }),
    ];
    expect(() => read({ nodes }, { name: "speech.onnx" })).toThrow(
      'speech.onnx: operators that octette does not have: got StringSplit (domain "ai.onnx", opset 17) in "rnn", "StringSplit_3"; ' +
        'com.microsoft.Sampling (domain "com.microsoft", opset unknown) in "sampled"; ' +
        'local.Mine (domain "local", opset unknown) in "Mine_4". ',
    );
  });

  test.each([
    ["Where", 9],
    ["CumSum", 11],
    ["Trilu", 14],
    ["Gelu", 20],
    ["CumProd", 26],
  ])("%s before opset %i, which added it", (op, first) => {
    const nodes = [one(op, { name: "early" })];
    expect(() => read({ opset: first - 1, nodes })).toThrow(
      expect.objectContaining({
        code: "graph",
        where: `model, ${op} "early"`,
        expected: `opset ${first} or later`,
        got: `opset ${first - 1}`,
      }),
    );
    expect(read({ opset: first, nodes }).nodes.length).toBe(1);
  });

  test("an operator before its opset is read as the caller's own means it", () => {
    const nodes = [one("Gelu")];
    const own = { Gelu: (source: Source) => [source.node({}, { op: "Relu" })] };
    expect(readOnnx(onnxFile({ opset: 13, nodes }), {}, own).nodes[0]!.op).toBe("Relu");
  });

  const errors: Record<string, [FileModel, string]> = {
    "an opset that is too old": [
      { opset: 6, nodes: [one("Relu")] },
      "expected opset 7 or later, got opset 6",
    ],
    "no opset of ONNX": [{ domain: "custom", nodes: [one("Relu")] }, "no opset of ONNX is imported"],
    "a subgraph": [
      { nodes: [one("Conv", { name: "c", attributes: { group: "graph" } })] },
      'Conv "c" (opset 17): attribute group holds what octette has no use for: got graph',
    ],
    "Dropout in training": [
      { nodes: [one("Dropout", { inputs: ["x", "", "t"] })], initializers: { t: tensor("bool", [], [1]) } },
      "it is in training mode",
    ],
    "a sequence as input": [
      { nodes: [one("Relu")], inputs: [{ name: "x", type: 0 }] },
      'model, input "x": not a tensor of numbers',
    ],
    "strings as input": [
      { nodes: [one("Relu")], inputs: [{ name: "x", type: 8, shape: [1] }] },
      "got STRING",
    ],
    "an input of unknown rank": [
      { nodes: [one("Relu")], inputs: [{ name: "x" }] },
      "its number of dimensions is not given",
    ],
    "external data": [
      { nodes: [one("Add", { inputs: ["x", "w"] })], initializers: { w: "external" } },
      "its data lie in another file",
    ],
    "a Cast to strings": [{ nodes: [one("Cast", { attributes: { to: 8 } })] }, "got STRING"],
    "nodes in the wrong order": [
      { nodes: [one("Relu", { inputs: ["a"] }), one("Relu", { outputs: ["a"] })] },
      'input "a" is produced only later',
    ],
    "an output nobody makes": [{ nodes: [one("Relu")], outputs: ["z"] }, 'output "z" is produced by no node'],
  };
  for (const [name, [model, message]] of Object.entries(errors))
    test(name, () => {
      expect(() => read(model)).toThrow(OctetteError);
      expect(() => read(model)).toThrow(message);
    });

  test("external data that nobody reads are not missed", () =>
    expect(() => read({ nodes: [one("Relu")], initializers: { w: "external" } })).not.toThrow());
});

test("provenance says where it came from", () =>
  expect(read({ nodes: [one("Relu")] }).provenance).toEqual({
    format: "onnx",
    producer: "test",
    opset: 17,
    irVersion: 8,
  }));

test("damaged files throw nothing but OctetteErrors", () => {
  const file = onnxFile({
    nodes: [
      one("Softmax", { outputs: ["a"], attributes: { axis: 1 } }),
      one("Reshape", { inputs: ["a", "s"], outputs: ["b"] }),
      one("Gemm", { inputs: ["b", "w"], attributes: { transB: 1, alpha: 0.5 } }),
    ],
    opset: 11,
    initializers: { s: i32(-1, 4), w: tensor("f32", [3, 4], [1, 2, 3, ...Array(9).fill(0)]) },
  });
  expectOnlyOctetteErrors((bytes) => simplify(readOnnx(bytes), toolkitOps), file);
});
