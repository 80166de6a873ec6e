// ConvTranspose in passes over weights, and in a small U-Net that is trained, quantized and fine-tuned.

import { beforeAll, describe, expect, test } from "vitest";
import { Model } from "../../../src/engine/model";
import { readNpz } from "../../../src/formats/npz";
import type { Graph } from "../../../src/graph/graph";
import { tensor } from "../../../src/graph/tensor";
import { createDataset, type Dataset, evaluate, loadSync, quantize, tune } from "../../../src/index";
import { toolkitOps } from "../../../src/ops/toolkit";
import { equalize } from "../../../src/passes/equalize";
import { simplify } from "../../../src/passes/index";
import { expectClose, expectSameBytes } from "../../check-tensors";
import { withModel } from "../../engine/engines";
import { readExample } from "../../examples";
import { GraphBuilder, randomOf } from "../../graph-builder";
import { runReference } from "../../reference/index";
import { trainingEngine, ops as trainingOps } from "../../train/gradients/check-gradient";
import { forward } from "./transposed-reference";

const { below, between } = randomOf(11);
const list = (length: number, next: () => number) => Array.from({ length }, next);
const IMAGE = [2, 4, 3, 4] as const;

describe("passes over weights", () => {
  const g = new GraphBuilder(6);
  g.input("x", ["batch", 4, 3, 3]);
  const up = (x: string, y: string, w: readonly number[], group: number) => {
    const weights = [g.floats(`${y}_w`, w, 0.6), g.floats(`${y}_b`, [w[0]!], 0.3)];
    return g.node("ConvTranspose", [x, ...weights], y, { strides: [2, 2], group });
  };
  up("x", "first", [6, 2, 3, 3], 2);
  const statistics = ["scale", "shift", "mean"].map((name) => g.floats(name, [6], 0.5));
  const variance = g.constant(
    "variance",
    tensor(
      "f32",
      [6],
      list(6, () => between(0.01, 4)),
    ),
  );
  g.node("BatchNormalization", ["first", ...statistics, variance], "norm");
  g.node("Relu", ["norm"], "relu");
  up("relu", "y", [2, 6, 2, 2], 1);
  const graph = g.build("y");
  const x = tensor(
    "f32",
    [2, 4, 3, 3],
    list(72, () => between(-1, 1)),
  );
  const expected = runReference(graph, { x }, { ConvTranspose: { forward } }).get("y")!;
  const run = (other: Graph) =>
    withModel(other, { maxima: { batch: 2 } }, (model) => model.runSync({ x }).y!);
  const simple = simplify(graph, toolkitOps);

  test("a BatchNormalization is folded into it", () => {
    expect(simple.nodes.map(({ op }) => op)).toEqual(["ConvTranspose", "Relu", "ConvTranspose"]);
    expectClose(run(simple), expected);
  });

  test("scales move from one to the next", () => {
    const { graph: equal, report } = equalize(simple, toolkitOps);
    expect(report.pairs.map(({ channels }) => channels)).toEqual([6]);
    expect(report.pairs[0]!.spreadAfter).toBeLessThan(report.pairs[0]!.spreadBefore);
    expectClose(run(equal), expected);
  });
});

describe("gradients over codes are those of the numbers that they stand for", () => {
  test.each([1, 2, 4])("group %i", (group) => {
    const shape = [4, 4 / group, 3, 2];
    const attributes = { strides: [2, 2], pads: [1, 0, 0, 1], group };
    const [scale, zero] = [Math.fround(0.02), 117];
    const g = new GraphBuilder(5);
    const w = g.weights("w", shape, 0);
    g.input("dy", ["batch", 4, 6, 7]);
    g.input("codes", ["batch", 4, 3, 4], "u8");
    g.input("reals", ["batch", 4, 3, 4]);
    const sizes = { ...attributes, shape: ["batch", 4, 3, 4] };
    g.node("ConvTransposeInputGradient", ["dy", w.codes, w.scale], "dx", sizes);
    const codes = [
      "codes",
      g.constant("scale", tensor("f32", [], [scale])),
      g.constant("zero", tensor("u8", [], [zero])),
    ];
    g.node("ConvTransposeWeightGradient", ["dy", ...codes], "dw", { ...attributes, shape });
    g.node("ConvTransposeWeightGradient", ["dy", "reals"], "dw_real", { ...attributes, shape });
    const weights = g.build().constants.get(w.codes)!;
    const perOutput = weights.data.length / 4;
    const real = Float32Array.from(weights.data, (q, i) => q * w.scales![Math.floor(i / perOutput)]!);
    g.constant("w_real", { dtype: "f32", shape, data: real });
    g.node("ConvTransposeInputGradient", ["dy", "w_real"], "dx_real", sizes);
    const q = tensor(
      "u8",
      IMAGE,
      list(96, () => below(256)),
    );
    const feeds = {
      dy: tensor(
        "f32",
        [2, 4, 6, 7],
        list(336, () => between(-1, 1)),
      ),
      codes: q,
      reals: tensor(
        "f32",
        IMAGE,
        Float32Array.from(q.data, (code) => (code - zero) * scale),
      ),
    };
    const model = new Model(g.build("dx", "dx_real", "dw", "dw_real"), trainingOps, trainingEngine, {
      maxima: { batch: 2 },
    });
    const { dx, dx_real, dw, dw_real } = model.runSync(feeds);
    model.dispose();
    expectSameBytes(dx, dx_real!, "dx");
    expectSameBytes(dw, dw_real!, "dw");
  });
});

/** Two steps down, two up, the first of which is joined with what was there before. */
function unet(): Graph {
  const g = new GraphBuilder(3);
  const layer = (op: string, x: string, y: string, w: readonly number[], attributes: object) => {
    const weights = g.floats(`${y}_w`, w, Math.sqrt(6 / (w[1]! * w[2]! * w[3]!)));
    const sum = g.node(op, [x, weights, g.floats(`${y}_b`, [w[0]!], 0.1)], `${y}_sum`, { ...attributes });
    return g.node("Relu", [sum], y);
  };
  const down = { strides: [2, 2], pads: [1, 1, 1, 1] };
  const x = g.input("image", ["batch", 1, 8, 8]);
  const first = layer("Conv", x, "first", [8, 1, 3, 3], down);
  const second = layer("Conv", first, "second", [16, 8, 3, 3], down);
  const up = layer("ConvTranspose", second, "up", [8, 16, 2, 2], { strides: [2, 2] });
  const joined = g.node("Concat", [up, first], "joined", { axis: 1 });
  const grouped = { strides: [2, 2], pads: [1, 1, 1, 1], group: 4 };
  const wide = layer("ConvTranspose", joined, "wide", [16, 4, 4, 4], grouped);
  const one = layer("ConvTranspose", wide, "one", [16, 1, 3, 3], { pads: [1, 1, 1, 1], group: 16 });
  const pooled = g.node("MaxPool", [one], "pooled", { kernel_shape: [4, 4], strides: [4, 4] });
  const flat = g.node("Flatten", [pooled], "flat", { axis: 1 });
  const logits = [flat, g.floats("head_w", [10, 64], 0.3), g.floats("head_b", [10], 0.1)];
  g.node("Gemm", logits, "y", { transB: 1 });
  return simplify(g.build("y"), toolkitOps);
}

describe("a small U-Net over digits", () => {
  const start = unet();
  let train: Dataset;
  let held: Dataset;
  let float: Graph;

  const open = async (part: string): Promise<Dataset> => {
    const arrays = readNpz(await readExample(`${part}.npz`));
    return createDataset(arrays, start.inputs, {
      labels: arrays.get("labels")!,
      normalize: { layout: "nchw", scale: 1 / 16, mean: [0], std: [1] },
    });
  };
  const accuracyOf = async (graph: Graph): Promise<number> => {
    const model = loadSync(graph);
    const { top1 } = await evaluate(model, held);
    model.dispose();
    return top1!;
  };

  beforeAll(async () => {
    [train, held] = [(await open("train")).take(1200), await open("test")];
    float = (await tune(start, { data: train, bits: "float", epochs: 12, batch: 32, lr: 0.02 })).graph;
  }, 120_000);

  test("learns as floats", async () => {
    expect(await accuracyOf(float)).toBeGreaterThan(85);
  });

  test("keeps its accuracy with codes of 8 bits, every layer an integer layer", async () => {
    const { graph } = await quantize(float, { calibration: train.batches(32) });
    const layers = graph.nodes.filter(({ op }) => op === "ConvTranspose");
    expect(layers.map(({ codes }) => codes?.output !== undefined)).toEqual([true, true, true]);
    expect(layers.map(({ codes }) => graph.constants.get(codes!.inputs[1]!.scale)!.shape)).toEqual([
      [8],
      [16],
      [16],
    ]);
    expect(await accuracyOf(graph)).toBeGreaterThan((await accuracyOf(float)) - 2);
  });

  test.each([
    "follow",
    "learned",
  ] as const)("gets accuracy back by tuning at 3 bits, scales: %s", async (scales) => {
    const options = { data: train, bits: 3, epochs: 3, batch: 32, lr: 0.002 } as const;
    const learned = scales === "learned" ? ({ scales, activationScales: scales } as const) : {};
    const { graph, summary } = await tune(float, { ...options, ...learned });
    expect(summary.after.accuracy).toBeGreaterThan(summary.before.accuracy);
    expect(summary.after.loss).toBeLessThan(summary.before.loss);
    expect(summary.warnings).toEqual([]);
    const { name, codes } = graph.nodes.find(({ op }) => op === "ConvTranspose")!;
    expect(codes?.output, name).toBeDefined();
  });
});
