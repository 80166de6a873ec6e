// ConvTranspose in files that came quantized, and where nothing can be done with a file.

import { describe, expect, test } from "vitest";
import { type Tensor, tensor } from "../../../src/graph/tensor";
import { importOnnx, readArtifact, save } from "../../../src/index";
import { expectClose, expectFewCodesApart } from "../../check-tensors";
import { engineClasses, withModel } from "../../engine/engines";
import { type FileNode, onnxFile } from "../../formats/onnx/model-file";
import { GraphBuilder, randomOf } from "../../graph-builder";
import { rne } from "../../reference/quantize";
import { eachProduct } from "./transposed-reference";

const { below, between } = randomOf(11);
const list = (length: number, next: () => number) => Array.from({ length }, next);
const number = (value: number) => tensor("f32", [], [value]);

/** x [2, 4, 3, 4], of ONNX's weights [4, o/group, 3, 2]. */
interface FileCase {
  readonly group: number;
  readonly scales: number;
  /** Axis that the scales of weights lie along. */
  readonly axis?: number;
  readonly isFloat?: true;
}

const IMAGE = [2, 4, 3, 4] as const;
const attributes = { strides: [2, 2], pads: [1, 0, 0, 1], output_padding: [1, 0] };

/** A file in QDQ form: codes of x and w, a bias in units of the sums, Relu, codes of y. */
function quantizedFile({ group, scales, axis = 1 }: FileCase) {
  const own = 6 / group;
  const w = tensor(
    "i8",
    [4, own, 3, 2],
    list(4 * own * 6, () => below(255) - 127),
  );
  const b = tensor(
    "i32",
    [6],
    list(6, () => below(4000) - 2000),
  );
  const ws = tensor(
    "f32",
    scales === 1 ? [] : [scales],
    list(scales, () => between(0.004, 0.01)),
  );
  const x = { scale: Math.fround(0.02), zero: 117 };
  const y = { scale: Math.fround(0.05), zero: 30 };
  const scaleOf = (i: number) =>
    ws.data[scales === 1 ? 0 : axis === 1 ? Math.floor(i / 6) % own : Math.floor(i / (6 * own))]!;
  const biasScales = list(6, () => 0).map((_, o) => x.scale * scaleOf((o % own) * 6));
  const nodes: FileNode[] = [
    { op: "QuantizeLinear", inputs: ["x", "xs", "xz"], outputs: ["xq"] },
    { op: "DequantizeLinear", inputs: ["xq", "xs", "xz"], outputs: ["xr"] },
    { op: "DequantizeLinear", inputs: ["w", "ws"], outputs: ["wr"], attributes: { axis } },
    { op: "DequantizeLinear", inputs: ["b", "bs"], outputs: ["br"], attributes: { axis: 0 } },
    {
      op: "ConvTranspose",
      name: "up",
      inputs: ["xr", "wr", "br"],
      outputs: ["s"],
      attributes: {
        ...Object.fromEntries(Object.entries(attributes).map(([k, ints]) => [k, { ints }])),
        group,
      },
    },
    { op: "Relu", inputs: ["s"], outputs: ["r"] },
    { op: "QuantizeLinear", inputs: ["r", "ys", "yz"], outputs: ["y"] },
  ];
  const initializers = {
    xs: number(x.scale),
    xz: tensor("u8", [], [x.zero]),
    w,
    ws,
    b,
    bs: tensor("f32", [6], biasScales),
    ys: number(y.scale),
    yz: tensor("u8", [], [y.zero]),
  };
  const inputs = [{ name: "x", shape: ["n", ...IMAGE.slice(1)], type: 1 }];
  const bytes = onnxFile({ inputs, nodes, initializers, outputs: [{ name: "y", type: 2 }] });

  /** What ONNX's formulas give, in float64. */
  const expected = (fed: Tensor): Tensor => {
    const real = Float64Array.from(fed.data, (v) => {
      const q = Math.min(255, Math.max(0, rne(Math.fround(v / x.scale)) + x.zero));
      return (q - x.zero) * x.scale;
    });
    // Weights by our order: [o][i/group][taps].
    const inputs = 4 / group;
    const weightOf = (j: number) => {
      const [o, i, t] = [Math.floor(j / (inputs * 6)), Math.floor(j / 6) % inputs, j % 6];
      const at = ((Math.floor(o / own) * inputs + i) * own + (o % own)) * 6 + t;
      return w.data[at]! * scaleOf(at);
    };
    const node = {
      op: "ConvTranspose",
      name: "",
      inputs: [],
      outputs: [],
      attributes: { ...attributes, group },
    };
    const shape = eachProduct(node, IMAGE, [6, inputs, 3, 2], () => {});
    const pixels = shape[2]! * shape[3]!;
    const size = shape[0]! * 6 * pixels;
    const sums = new Float64Array(size).map((_, i) => {
      const o = Math.floor(i / pixels) % 6;
      return b.data[o]! * biasScales[o]!;
    });
    eachProduct(node, IMAGE, [6, inputs, 3, 2], (i, j, q) => {
      sums[q]! += real[i]! * weightOf(j);
    });
    const codes = Array.from(sums, (s) => Math.min(255, rne(Math.max(0, s) / y.scale) + y.zero));
    return tensor("u8", shape, codes);
  };
  return { bytes, expected };
}

describe("a file that came quantized", () => {
  test.each<FileCase>([
    { group: 1, scales: 1 },
    { group: 1, scales: 6 },
    { group: 2, scales: 1 },
    { group: 2, scales: 3 },
    { group: 1, scales: 4, axis: 0, isFloat: true },
  ])("%o", (one) => {
    const { bytes, expected } = quantizedFile(one);
    const graph = importOnnx(bytes);
    const layers = graph.nodes.filter(({ op }) => op.startsWith("ConvTranspose"));
    expect(layers.map(({ op, codes }) => [op, codes !== undefined])).toEqual([
      ["ConvTranspose", !one.isFloat],
    ]);
    if (!one.isFloat) expect(graph.nodes.map(({ op }) => op)).toEqual(["QuantizeLinear", "ConvTranspose"]);
    const x = tensor(
      "f32",
      IMAGE,
      list(96, () => between(-3, 3)),
    );
    for (const engineClass of engineClasses)
      withModel(graph, { engineClass, maxima: { n: 2 } }, (model) =>
        expectFewCodesApart(model.runSync({ x }).y, expected(x), engineClass),
      );
    expect(readArtifact(save(graph)).graph.nodes).toEqual(graph.nodes);
  });
});

test("codes of one range that is found in each run", () => {
  const g = new GraphBuilder(4);
  g.input("x", [2, 3, 3, 4]);
  g.multiple("DynamicQuantize", ["x"], ["q", "scale", "zero"]);
  const w = g.weights("w", [5, 3, 3, 3], 0);
  const x = { codes: "q", scale: "scale", zeroPoint: "zero" };
  g.layer("ConvTranspose", [x, w, g.floats("b", [5], 1)], "y", { attributes: { strides: [2, 2] } });
  const integer = g.build("y", "q", "scale", "zero");
  const float = new GraphBuilder(4);
  float.input("x", [2, 3, 3, 4]);
  const codes = integer.constants.get(w.codes)!;
  const scales = integer.constants.get(w.scale)!;
  const real = Float32Array.from(codes.data, (q, i) => q * scales.data[Math.floor(i / 27)]!);
  float.constant("w", { dtype: "f32", shape: codes.shape, data: real });
  float.constant("b", integer.constants.get("b")!);
  float.node("ConvTranspose", ["x", "w", "b"], "y", { strides: [2, 2] });
  const fed = tensor(
    "f32",
    [2, 3, 3, 4],
    list(72, () => between(-2, 3)),
  );
  for (const engineClass of engineClasses) {
    const { y, q, scale, zero } = withModel(integer, { engineClass }, (model) => model.runSync({ x: fed }));
    const seen = Float32Array.from(q!.data, (code) => (code - zero!.data[0]!) * scale!.data[0]!);
    const expected = withModel(float.build("y"), {}, (model) => model.runSync({ x: { ...fed, data: seen } }));
    expectClose(y!, expected.y!, engineClass);
  }
});
