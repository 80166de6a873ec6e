// Models that came quantized, as ONNX's QDQ form writes them: every op that can be is an integer layer, nothing between is
// float, and the runtime gives the bytes of the reference over the same layers and the codes (±1) of the reference
// over the file as it was, op by op in float.

import { describe, expect, test } from "vitest";
import { readArtifact, writeArtifact } from "../../src/formats/octette";
import { readOnnx } from "../../src/formats/onnx/import";
import type { Graph } from "../../src/graph/graph";
import { tensor } from "../../src/graph/tensor";
import { toolkitOps } from "../../src/ops/toolkit";
import { simplifyImported } from "../../src/passes/index";
import { expectClose, expectSameBytes, expectWithinOneCode, type Fill, randomFeeds } from "../check-model";
import { engineClasses, withModel } from "../engine/engines";
import { type FileInput, type FileModel, type FileNode, onnxFile } from "../formats/onnx/model-file";
import { type Attributes, type Coded, type CodeType, GraphBuilder, type Range } from "../graph-builder";
import { runReference } from "../reference/index";

/** The ops that are no integer layers, in order. */
const floatOps = (graph: Graph) => graph.nodes.filter(({ codes }) => !codes).map(({ op }) => op);

interface Step {
  readonly attributes?: Attributes;
  readonly activation?: string;
  readonly range?: Range;
}

/** Writes QDQ: no node of it is an integer layer. */
class Qdq extends GraphBuilder {
  readonly #seen = new Map<string, string>();

  /** The real value of codes, one DequantizeLinear for all that read it. */
  real(coded: Coded): string {
    const known = this.#seen.get(coded.codes);
    if (known !== undefined) return known;
    const real = this.dequantize(coded, `${coded.codes}_real`);
    this.#seen.set(coded.codes, real);
    return real;
  }

  /** op [→ activation] → QuantizeLinear, in `range`. */
  step(
    op: string,
    inputs: readonly Coded[],
    output: string,
    { attributes, activation, range }: Step = {},
  ): Coded {
    const reals = inputs.map((input) => this.real(input));
    const own = this.node(op, reals, activation ? `${output}_core` : output, attributes);
    if (activation) this.node(activation, [own], output);
    return this.quantize(output, range ?? this.range());
  }

  /** A bias as files have it, its scales written out. */
  biasOf(name: string, x: Coded, w: Coded, k: number): Coded {
    const sums = w.scales!.map((scale) => x.range!.scale * scale);
    const scale = this.constant(`${name}_scale`, tensor("f32", [sums.length], sums));
    return { ...this.bias(name, w, k), scale };
  }

  /** An input that comes as codes. */
  codes(name: string, shape: readonly (number | string)[], dtype: CodeType): Coded {
    const range = this.range(dtype);
    this.input(name, shape, dtype);
    const scale = this.constant(`${name}_scale`, tensor("f32", [], [range.scale]));
    const zeroPoint = this.constant(`${name}_zero_point`, tensor(dtype, [], [range.zeroPoint]));
    return { codes: name, scale, zeroPoint, range };
  }

  /** A range that sums of k products fill. */
  rangeOfSums(x: Coded, w: Coded, k: number, dtype: CodeType): Range {
    return { ...this.range(dtype), scale: Math.fround(x.range!.scale * w.scales![0]! * Math.sqrt(k) * 90) };
  }
}

const fills: readonly Fill[] = ["random", "min", "max"];

function check(graph: Graph, floats: readonly string[] = [], batch = 3): Graph {
  const marked = simplifyImported(graph, toolkitOps);
  expect(floatOps(marked)).toEqual(floats);
  const saved = readArtifact(writeArtifact(marked)).graph;
  for (const fill of fills) {
    const feeds = randomFeeds(graph, batch, 11, fill);
    const expected = runReference(marked, feeds);
    const plain = runReference(graph, feeds);
    for (const engineClass of engineClasses)
      withModel(saved, { engineClass, maxima: { batch } }, (model) => {
        const results = model.runSync(feeds);
        for (const output of graph.outputs) {
          const label = `${output}, ${fill}, ${engineClass}`;
          expectSameBytes(results[output], expected.get(output)!, label);
          if (results[output]!.dtype === "f32") expectClose(results[output], plain.get(output)!, label, 0.02);
          else expectWithinOneCode(results[output], plain.get(output)!, label);
        }
      });
  }
  return marked;
}

describe.each(["u8", "i8"] as const)("activations of %s", (dtype) => {
  describe.each([1, 3, 17])("a layer of %i outputs", (n) => {
    test.each([false, true])("Gemm, transB %s, Relu", (transB) => {
      const g = new Qdq(n);
      const x = g.codes("x", ["batch", 17], dtype);
      const w = g.weights("w", transB ? [n, 17] : [17, n], transB ? 0 : 1, n === 17);
      const range = g.rangeOfSums(x, w, 17, dtype);
      const attributes = { transB: transB ? 1 : 0 };
      const y = g.step("Gemm", [x, w, g.biasOf("b", x, w, 17)], "y", {
        attributes,
        activation: "Relu",
        range,
      });
      check(g.build(y.codes));
    });

    test("MatMul and an Add of a float bias over more than two dimensions", () => {
      const g = new Qdq(n);
      const x = g.codes("x", ["batch", 4, 17], dtype);
      const w = g.weights("w", [17, n], 1);
      const product = g.node("MatMul", [g.real(x), g.real(w)], "product");
      const sum = g.node("Add", [g.floats("b", [n], 1), product], "sum");
      check(g.build(g.quantize(sum, g.rangeOfSums(x, w, 17, dtype)).codes));
    });

    test("Conv, depthwise and pointwise, from an image with its channels last", () => {
      const g = new Qdq(n);
      const x = g.codes("x", ["batch", 5, 7, n], dtype);
      const image = g.node("Transpose", [g.real(x)], "image", { perm: [0, 3, 1, 2] });
      const w = g.weights("w", [n, 1, 3, 3], 0, true);
      const reals = [image, g.real(w), g.real(g.biasOf("b", x, w, 9))];
      const deep = g.node("Conv", reals, "deep", { kernel_shape: [3, 3], pads: [1, 1, 1, 1], group: n });
      const first = g.quantize(deep, g.rangeOfSums(x, w, 9, dtype));
      const point = g.weights("p", [3, n, 1, 1], 0);
      const range = g.rangeOfSums(first, point, n, dtype);
      check(g.build(g.step("Conv", [first, point], "y", { activation: "Relu", range }).codes));
    });
  });

  test("a float bias that units of the sums are too coarse for: its result is float, and becomes codes then", () => {
    const g = new Qdq(4);
    const x = g.codes("x", ["batch", 2, 3, 3], dtype);
    const w = g.weights("w", [3, 2, 3, 3], 0);
    const unit = x.range!.scale * w.scales![0]!;
    const bias = g.constant("bias", tensor("f32", [3], [5.44 * unit, 2.4 * unit, 0.5 * unit]));
    const y = g.node("Conv", [g.real(x), g.real(w), bias], "y", { pads: [2, 2, 2, 2] });
    check(g.build(g.quantize(y, { ...g.range(dtype), scale: Math.fround(unit / 5) }).codes), [
      "QuantizeLinear",
    ]);
  });

  test("a residual, poolings, a table and a concatenation", () => {
    const g = new Qdq(5);
    const same = { kernel_shape: [3, 3], pads: [1, 1, 1, 1] };
    const x = g.codes("x", ["batch", 3, 6, 6], dtype);
    const w = g.weights("w", [3, 3, 3, 3], 0);
    const a = g.step("Conv", [x, w], "a", { attributes: same, range: g.rangeOfSums(x, w, 27, dtype) });
    const sum = g.step("Add", [x, a], "sum", { activation: "Relu", range: g.range(dtype) });
    const largest = g.node("MaxPool", [g.real(sum)], "largest", { kernel_shape: [2, 2], strides: [2, 2] });
    const coded = g.quantize(largest, sum.range);
    const window = { kernel_shape: [2, 2], strides: [2, 2] };
    const mean = g.step("AveragePool", [sum], "mean", { attributes: window, range: g.range(dtype) });
    const both = g.step("Concat", [coded, mean], "both", { attributes: { axis: 1 }, range: g.range(dtype) });
    const act = g.step("LeakyRelu", [both], "act", { attributes: { alpha: 0.1 }, range: g.range(dtype) });
    const pooled = g.step("GlobalAveragePool", [act], "pooled", { range: g.range(dtype) });
    const flat = g.node("Flatten", [g.real(pooled)], "flat", { axis: 1 });
    const v = g.weights("v", [4, 6], 0);
    const logits = g.node("Gemm", [flat, g.real(v), g.floats("c", [4], 1)], "logits", { transB: 1 });
    check(g.build(logits));
  });
});

test("layers over volumes stay float", () => {
  const g = new Qdq(8);
  const x = g.codes("x", ["batch", 2, 4, 4, 4], "u8");
  const w = g.weights("w", [3, 2, 2, 2, 2], 0);
  const a = g.step("Conv", [x, w], "a", { range: g.rangeOfSums(x, w, 16, "u8") });
  const mean = g.step("AveragePool", [a], "mean", {
    attributes: { kernel_shape: [2, 2, 2] },
    range: a.range!,
  });
  const y = g.step("GlobalAveragePool", [mean], "y", { range: a.range! });
  const graph = g.build(y.codes);
  const made = simplifyImported(graph, toolkitOps);
  expect(made.nodes.filter(({ op }) => /Conv|Pool/.test(op)).map(({ op }) => op)).toEqual([
    "GeneralConv",
    "GeneralAveragePool",
    "GeneralAveragePool",
  ]);
  const feeds = randomFeeds(graph, 3, 11, "random");
  const plain = runReference(graph, feeds);
  withModel(made, { maxima: { batch: 3 } }, (model) =>
    expectWithinOneCode(model.runSync(feeds)[y.codes], plain.get(y.codes)!, "y"),
  );
});

describe("weights", () => {
  const dense = (dtype: "u8" | "i8", codes: readonly number[], zeroPoint: number) => {
    const g = new Qdq(3);
    const x = g.codes("x", ["batch", 4], "u8");
    const names = { codes: "w", scale: "ws", zeroPoint: "wz" };
    g.constant("w", tensor(dtype, [4, 2], codes));
    g.constant("ws", tensor("f32", [], [0.01]));
    g.constant("wz", tensor(dtype, [], [zeroPoint]));
    const range = { scale: Math.fround(x.range!.scale * 2), zeroPoint: 100, dtype: "u8" as const };
    return g.build(g.step("MatMul", [x, names], "y", { range }).codes);
  };

  test("of u8 are moved where they fit in i8", () => {
    check(dense("u8", [0, 255, 128, 1, 254, 127, 129, 3], 128));
    check(dense("u8", [3, 200, 128, 73, 73, 127, 129, 3], 73));
    check(dense("i8", [-100, 27, 0, 1, 2, 3, 4, 5], -100));
  });

  test("that do not fit leave a term of their zero points", () => {
    const floats = ["Add", "QuantizeLinear"];
    check(dense("u8", [0, 255, 128, 1, 254, 127, 129, 3], 100), floats);
    check(dense("i8", [-128, 127, 0, 1, 2, 3, 4, 5], -1), floats);
  });

  test("with scales along the summed dimension are float", () => {
    const g = new Qdq(4);
    const x = g.codes("x", ["batch", 4], "u8");
    const w = g.weights("w", [4, 4], 0);
    check(g.build(g.step("MatMul", [x, w], "y").codes), ["DequantizeLinear", "Linear", "QuantizeLinear"]);
  });

  test("may be transposed behind their DequantizeLinear, or quantized from floats", () => {
    const g = new Qdq(6);
    const x = g.codes("x", ["batch", 5], "u8");
    const w = g.weights("w", [3, 5], 0);
    const turned = g.node("Transpose", [g.real(w)], "turned", { perm: [1, 0] });
    const first = g.quantize(g.node("MatMul", [g.real(x), turned], "first"), g.rangeOfSums(x, w, 5, "u8"));
    const range = { scale: Math.fround(0.01), zeroPoint: 0, dtype: "i8" as const };
    const v = g.quantize(g.floats("v", [3, 4], 1), range);
    const y = g.step("MatMul", [first, v], "y", { range: { scale: 0.5, zeroPoint: 9, dtype: "u8" } });
    check(g.build(y.codes));
  });

  test("of outputs whose bias is out of range", () => {
    const g = new Qdq(7);
    const x = g.codes("x", ["batch", 2], "u8");
    const w = g.weights("w", [2, 2], 1);
    g.constant("w_codes", tensor("i8", [2, 2], [0, 1, 0, 1]));
    const scale = tensor("f32", [2], [x.range!.scale * w.scales![0]!, x.range!.scale * w.scales![1]!]);
    const b = { codes: "b", scale: g.constant("bs", scale), axis: 0 };
    g.constant("b", tensor("i32", [2], [2 ** 31 - 1, -(2 ** 30)]));
    const range = { scale: 1, zeroPoint: 3, dtype: "u8" as const };
    const build = () => g.build(g.step("Gemm", [x, w, b], "y", { range }).codes);
    check(build());
    g.constant("w_codes", tensor("i8", [2, 2], [1, 1, 1, 1]));
    const next = g.build("y_codes");
    check(next, ["DequantizeLinear", "Linear", "QuantizeLinear"]);
  });
});

describe("int32 sums", () => {
  /** A product of an input with weights that reach −128, as ONNX's file has it. */
  const product = (
    x: FileInput,
    nodes: readonly FileNode[],
    columns: boolean,
    more: FileModel["initializers"] = {},
  ) =>
    readOnnx(
      onnxFile({
        inputs: [x],
        nodes,
        initializers: {
          w: tensor("i8", [4, 3], [-128, 127, 1, 2, 127, -128, 5, 6, 7, 8, 9, -128]),
          wz: columns ? tensor("i8", [3], []) : tensor("i8", [], []),
          scale: columns ? tensor("f32", [3], [0.01, 0.02, 0.03]) : tensor("f32", [], [0.01]),
          b: tensor("f32", [3], [0.5, -0.5, 1]),
          ...more,
        },
      }),
    );

  test.each([1, 3])("MatMulInteger over %i rows", (batch) => {
    for (const type of [2, 3]) {
      const dtype = type === 2 ? "u8" : "i8";
      const az = { az: tensor(dtype, [], [type === 2 ? 200 : -56]) };
      const inputs = ["x", "w", "az", "wz"];
      const x = { name: "x", shape: [batch, 4], type };
      check(product(x, [{ op: "MatMulInteger", inputs, outputs: ["y"] }], false, az), [], batch);
      check(product(x, [{ op: "MatMulInteger", inputs: ["x", "w"], outputs: ["y"] }], false), [], batch);
    }
  });

  test.each([false, true])("DynamicQuantizeLinear, MatMulInteger and scales, one a column %s", (columns) => {
    const nodes = [
      { op: "DynamicQuantizeLinear", inputs: ["x"], outputs: ["q", "s", "z"] },
      { op: "Mul", inputs: ["s", "scale"], outputs: ["scales"] },
      { op: "MatMulInteger", inputs: ["q", "w", "z", "wz"], outputs: ["sums"] },
      { op: "Cast", inputs: ["sums"], outputs: ["real"], attributes: { to: 1 } },
      { op: "Mul", inputs: ["real", "scales"], outputs: ["scaled"] },
      { op: "Add", inputs: ["scaled", "b"], outputs: ["sum"] },
      { op: "Relu", inputs: ["sum"], outputs: ["y"] },
    ];
    const graph = product({ name: "x", shape: ["batch", 4] }, nodes, columns);
    const marked = check(graph, ["DynamicQuantize"]);
    // The range is that of all rows: a run over many is not cut.
    const feeds = randomFeeds(marked, 3);
    withModel(marked, { maxima: { batch: 2 } }, (model) =>
      expectSameBytes(model.runSync(feeds).y, runReference(marked, feeds).get("y")!),
    );
  });
});

describe("convolutions of codes that end in int32 sums or floats", () => {
  interface Form {
    readonly shape: readonly [outputs: number, perGroup: number, ...kernel: number[]];
    readonly group?: number;
    readonly attributes?: FileNode["attributes"];
  }
  const forms: Record<string, Form> = {
    pointwise: { shape: [5, 6, 1, 1] },
    padded: { shape: [4, 6, 3, 3], attributes: { pads: [1, 2, 1, 0] } },
    "of strides": { shape: [17, 6, 3, 2], attributes: { strides: [2, 3], pads: [1, 1, 0, 0] } },
    dilated: { shape: [3, 6, 2, 3], attributes: { dilations: [2, 1] } },
    "in groups": { shape: [6, 2, 3, 3], group: 3, attributes: { auto_pad: "SAME_UPPER" } },
    depthwise: { shape: [6, 1, 3, 3], group: 6, attributes: { pads: [1, 1, 1, 1] } },
    "of one dimension": { shape: [4, 6, 3], attributes: { pads: [2, 1] } },
  };
  const pixels = (shape: Form["shape"]) => (shape.length === 3 ? [9] : [7, 9]);
  const weights = (dtype: "u8" | "i8", shape: readonly number[], zero: number) =>
    tensor(
      dtype,
      shape,
      Array.from({ length: shape.reduce((a, b) => a * b) }, (_, i) => ((i * 37 + 11) % 256) - 128 + zero),
    );
  const convolution = (
    { shape, group = 1, attributes = {} }: Form,
    x: FileInput,
    nodes: readonly FileNode[],
    initializers: FileModel["initializers"],
  ) =>
    readOnnx(
      onnxFile({
        inputs: [{ ...x, shape: ["batch", shape[1] * group, ...pixels(shape)] }],
        nodes: nodes.map((node) =>
          node.op.startsWith("Conv") ? { ...node, attributes: { ...attributes, group } } : node,
        ),
        initializers: initializers ?? {},
      }),
    );

  test.each(Object.entries(forms))("ConvInteger, %s", (_, form) => {
    for (const [type, dtype, zero] of [
      [2, "u8", 200],
      [3, "i8", -56],
    ] as const) {
      const x = { name: "x", type };
      const some = (inputs: string[], initializers: FileModel["initializers"]) =>
        check(convolution(form, x, [{ op: "ConvInteger", inputs, outputs: ["y"] }], initializers), []);
      const xz = tensor(dtype, [], [zero]);
      some(["x", "w"], { w: weights("i8", form.shape, 0) });
      some(["x", "w", "xz"], { w: weights("i8", form.shape, 0), xz });
      some(["x", "w", "xz", "wz"], { w: weights("u8", form.shape, 128), xz, wz: tensor("u8", [], [128]) });
      const [outputs] = form.shape;
      const zeros = Array.from({ length: outputs }, (_, c) => 100 + 3 * c);
      const codes = weights("u8", form.shape, 128).data.map((q) => 80 + (q % 100));
      const each = { w: tensor("u8", form.shape, codes), wz: tensor("u8", [outputs], zeros) };
      some(["x", "w", "xz", "wz"], { ...each, xz });
    }
  });

  test.each(Object.entries(forms))("a float result of codes of constant scales, %s", (_, form) => {
    const nodes = [
      { op: "DequantizeLinear", inputs: ["x", "xs", "xz"], outputs: ["real"] },
      { op: "DequantizeLinear", inputs: ["w", "ws"], outputs: ["weights"], attributes: { axis: 0 } },
      { op: "Conv", inputs: ["real", "weights", "b"], outputs: ["sum"] },
      { op: "Clip", inputs: ["sum", "lo"], outputs: ["y"] },
    ];
    const [outputs] = form.shape;
    const each = Array.from({ length: outputs }, (_, c) => (c + 1) / 64);
    const graph = convolution(form, { name: "x", type: 2 }, nodes, {
      w: weights("i8", form.shape, 0),
      ws: tensor("f32", [outputs], each),
      xs: tensor("f32", [], [0.05]),
      xz: tensor("u8", [], [9]),
      b: tensor("f32", [outputs], each),
      lo: tensor("f32", [], [-30]),
    });
    check(graph, []);
  });

  const dynamic: readonly FileNode[] = [
    { op: "DynamicQuantizeLinear", inputs: ["x"], outputs: ["q", "s", "z"] },
    { op: "Mul", inputs: ["s", "scale"], outputs: ["scales"] },
    { op: "ConvInteger", inputs: ["q", "w", "z", "wz"], outputs: ["sums"] },
    { op: "Cast", inputs: ["sums"], outputs: ["real"], attributes: { to: 1 } },
    { op: "Mul", inputs: ["real", "scales"], outputs: ["scaled"] },
    { op: "Add", inputs: ["scaled", "b"], outputs: ["sum"] },
    { op: "Relu", inputs: ["sum"], outputs: ["y"] },
  ];
  const ofDynamic = ({ shape }: Form, wz: number) => ({
    w: weights("u8", shape, 128),
    wz: tensor("u8", [], [wz]),
    scale: tensor("f32", [], [0.01]),
    b: tensor(
      "f32",
      [1, shape[0], ...shape.slice(2).map(() => 1)],
      Array.from({ length: shape[0] }, (_, c) => c / 4 - 0.5),
    ),
  });

  test.each(Object.entries(forms))("DynamicQuantizeLinear, ConvInteger, scale and bias, %s", (_, form) => {
    check(convolution(form, { name: "x" }, dynamic, ofDynamic(form, 128)), ["DynamicQuantize"]);
  });

  test.each(Object.entries(forms))("DynamicQuantizeLinear, weights that do not fit in i8, %s", (_, form) => {
    check(convolution(form, { name: "x" }, dynamic, ofDynamic(form, 100)), [
      "DynamicQuantize",
      "Add",
      "Relu",
    ]);
  });

  test("sums of weights that do not fit in i8: an error that says what would", () => {
    const sums = [{ op: "ConvInteger", inputs: ["x", "w", "", "wz"], outputs: ["y"] }];
    const graph = convolution(forms.padded!, { name: "x", type: 2 }, sums, ofDynamic(forms.padded!, 100));
    expect(() => withModel(simplifyImported(graph, toolkitOps), {}, () => {})).toThrow(/symmetric/);
  });
});

describe("codes outside of regions", () => {
  test("of constants are what they mean: one scale, one a channel, one a block", () => {
    const g = new Qdq(8);
    const x = g.input("x", ["batch", 4]);
    const add = (
      name: string,
      scale: number[],
      zero: number[],
      shape: readonly number[],
      more: Attributes,
    ) => {
      g.constant(name, tensor("u8", [2, 4], [1, 2, 3, 4, 250, 251, 252, 253]));
      g.constant(`${name}_scale`, tensor("f32", shape, scale));
      g.constant(`${name}_zero`, tensor("u8", shape, zero));
      return g.node("DequantizeLinear", [name, `${name}_scale`, `${name}_zero`], `${name}_real`, more);
    };
    const one = add("one", [0.5], [7], [], {});
    const channels = add("channels", [0.5, 2], [7, 9], [2], { axis: 0 });
    const blocks = add("blocks", [0.5, 2, 3, 4], [7, 9, 11, 0], [2, 2], { axis: 1, block_size: 2 });
    const row = (value: string) =>
      g.node("Slice", [value], `${value}_row`, { starts: [1], ends: [2], axes: [0] });
    const sum = [one, channels, blocks].map(row).reduce((a, b) => g.node("Add", [a, b], `${a}_${b}`), x);
    check(g.build(sum), ["Add", "Add", "Add"]);
  });

  test("that are quantized again are the same codes, or go through a table", () => {
    const g = new Qdq(9);
    const x = g.codes("x", ["batch", 5], "i8");
    const relu = g.step("Relu", [x], "relu", { range: g.range("i8") });
    const same = g.quantize(g.node("Identity", [g.real(relu)], "same"), relu.range);
    const other = g.quantize(g.dequantize(same, "again"), g.range("u8"));
    const input = g.quantize(g.dequantize(x, "input"), x.range);
    check(g.build(same.codes, other.codes, input.codes, relu.codes));
  });

  test("stay around float ops, and where something else reads the sum", () => {
    const g = new Qdq(10);
    const x = g.codes("x", ["batch", 3, 4, 4], "u8");
    const w = g.weights("w", [2, 3, 1, 1], 0);
    const conv = g.node("Conv", [g.real(x), g.real(w)], "conv", { kernel_shape: [1, 1] });
    const y = g.quantize(conv, g.rangeOfSums(x, w, 3, "u8"));
    const all = g.node("Abs", [conv], "all");
    check(g.build(y.codes, all), ["QuantizeLinear", "Abs"]);
  });
});

test("a graph that nothing quantized is the same object", () => {
  const g = new Qdq();
  const graph = simplifyImported(g.build(g.node("Relu", [g.input("x", ["batch", 4])], "y")), toolkitOps);
  expect(simplifyImported(graph, toolkitOps)).toBe(graph);
});
