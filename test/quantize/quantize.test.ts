// The quantizer on whole graphs: what becomes integer and why not, how the result is written, and that the runtime
// computes it as the reference does.

import { describe, expect, test, vi } from "vitest";
import type { Feeds } from "../../src/engine/feeds";
import { WORK_MS } from "../../src/event-loop";
import type { Graph, Node } from "../../src/graph/graph";
import type { Tensor } from "../../src/graph/tensor";
import { verify } from "../../src/graph/verify";
import type { Progress } from "../../src/long-call";
import { registry } from "../../src/ops/index";
import { CALIBRATION_BATCH } from "../../src/quantize/calibrate";
import { type QuantizeOptions, quantize } from "../../src/quantize/index";
import { networkGraph, randomFeeds } from "../check-model";
import { expectSameBytes } from "../check-tensors";
import { withModel } from "../engine/engines";
import { GraphBuilder } from "../graph-builder";
import { runReference } from "../reference";

const samples = (graph: Graph, count = 48, bound = 2): Record<string, Tensor> =>
  randomFeeds(graph, count, 11, "random", bound);

const quantized = (graph: Graph, options: QuantizeOptions = {}) =>
  quantize(graph, { calibration: [samples(graph)], ...options });

/** Signal over error of the outputs, in decibels. */
function decibels(graph: Graph, result: Graph): number {
  const feeds = randomFeeds(graph, 16, 3, "random", 2);
  const [float, int] = [runReference(graph, feeds), runReference(result, feeds)];
  let [signal, error] = [0, 0];
  for (const output of graph.outputs)
    float.get(output)!.data.forEach((x, i) => {
      signal += x * x;
      error += (x - int.get(output)!.data[i]!) ** 2;
    });
  return 10 * Math.log10(signal / error);
}

/** What each integer layer is: "Conv, bounded, to codes". */
const layersOf = ({ nodes }: Graph): Record<string, string> =>
  Object.fromEntries(
    nodes.flatMap(({ name, op, codes }) =>
      codes
        ? [
            [
              name,
              [op, ...(codes.bounds ? ["bounded"] : []), ...(codes.output ? ["to codes"] : [])].join(", "),
            ],
          ]
        : [],
    ),
  );

const find = (graph: Graph, op: string): Node => graph.nodes.find((node) => node.op === op)!;
const outside = (graph: Graph) => graph.nodes.filter(({ codes }) => !codes).map(({ op }) => op);

/** x → conv → Relu → pool → flatten → gemm. */
function classifier(): Graph {
  const builder = new GraphBuilder();
  const x = builder.input("x", ["batch", 3, 6, 6]);
  const c = builder.node(
    "Conv",
    [x, builder.floats("w", [8, 3, 3, 3], 0.3), builder.floats("b", [8], 1)],
    "c",
    { kernel_shape: [3, 3] },
  );
  const pooled = builder.node("MaxPool", [builder.node("Relu", [c], "r")], "p", {
    kernel_shape: [2, 2],
    strides: [2, 2],
  });
  const flat = builder.node("Flatten", [pooled], "f", { axis: 1 });
  return builder.build(
    builder.node("Linear", [flat, builder.floats("v", [4, 32], 0.3), builder.floats("d", [4], 1)], "y"),
  );
}

describe("static", () => {
  test("a classifier: one QuantizeLinear, integer layers to the end, float logits", async () => {
    const { graph, summary } = await quantized(classifier());
    expect(outside(graph)).toEqual(["QuantizeLinear"]);
    expect(layersOf(graph)).toEqual({
      Conv_c: "Conv, bounded, to codes",
      MaxPool_p: "MaxPool, to codes",
      Flatten_f: "Flatten, to codes",
      Linear_y: "Linear",
    });
    expect(summary.layers.map(({ quantized }) => quantized)).toEqual([true, true, true, true, true]);
    expect(summary.layers[1]!.reason).toBe('part of "Conv_c"');
    expect(summary.biasCorrected).toEqual(["Conv_c", "Linear_y"]);
    expect(summary.warnings).toEqual([]);
  });

  test("codes have the name of what they stand for, and scales are named after it", async () => {
    const { graph } = await quantized(classifier());
    const dtypes = Object.fromEntries(
      [...graph.constants].map(([name, { dtype, shape }]) => [name, `${dtype} [${shape}]`]),
    );
    expect(dtypes).toEqual({
      x_scale: "f32 []",
      x_zero_point: "u8 []",
      w: "i8 [8,3,3,3]",
      w_scale: "f32 [8]",
      b: "i32 [8]",
      r_scale: "f32 []",
      r_zero_point: "u8 []",
      v: "i8 [4,32]",
      v_scale: "f32 [4]",
      d: "f32 [4]",
    });
    expect(find(graph, "Conv")).toMatchObject({ inputs: ["x_codes", "w", "b"], outputs: ["r"] });
    const { inputs, codes } = find(graph, "MaxPool");
    expect(inputs).toEqual(["r"]);
    for (const own of [codes!.inputs[0], codes!.output])
      expect(own).toEqual({ scale: "r_scale", zeroPoint: "r_zero_point" });
  });

  test("a network of every kind of integer layer: above 30 dB, and the runtime gives the reference's bytes", async () => {
    const float = networkGraph({ quantized: false });
    const { graph } = await quantized(float);
    verify(graph, registry);
    expect(decibels(float, graph)).toBeGreaterThan(30);
    const feeds = randomFeeds(float, 5);
    const expected = runReference(graph, feeds);
    withModel(graph, { maxima: { batch: 5 } }, (model) => {
      expectSameBytes(model.runSync(feeds).y, expected.get("y")!);
    });
  });

  test("concatenation: what only it reads has its parameters, what others read keeps its own", async () => {
    const { graph } = await quantized(networkGraph({ quantized: false }));
    const { inputs, output } = find(graph, "Concat").codes!;
    expect([...inputs, output].map((p) => p!.scale)).toEqual(["sum_scale", "both_scale", "both_scale"]);
  });

  test("the same constants to the bit however the samples are cut into batches", async () => {
    const graph = networkGraph({ quantized: false });
    const all = samples(graph, 2 * CALIBRATION_BATCH + 5);
    const { shape, data } = all.x!;
    const rows = (from: number, to: number): Feeds => ({
      x: { dtype: "f32", shape: [to - from, ...shape.slice(1)], data: data.subarray(from * 192, to * 192) },
    });
    async function* cut() {
      yield rows(0, 1);
      yield rows(1, 30);
      yield { x: data.subarray(30 * 192) }; // a bare array
    }
    const whole = await quantized(graph, { calibration: [all] });
    expect(whole.summary.samples).toBe(37);
    expect((await quantized(graph, { calibration: cut() })).graph).toEqual(whole.graph);
  });

  test("samples whose rows meet are run as they are fed, a larger batch after a small one too", async () => {
    const builder = new GraphBuilder();
    const x = builder.input("x", ["batch", 4]);
    const mean = builder.node("ReduceMean", [x], "mean", { axes: [0], keepdims: 1 });
    const centred = builder.node("Sub", [x, mean], "centred");
    builder.node("Linear", [centred, builder.floats("w", [3, 4], 1)], "y");
    const graph = builder.build("y");
    const count = 2 * CALIBRATION_BATCH + 5;
    // The larger, the later.
    const data = Float32Array.from({ length: 4 * count }, (_, i) => i);
    const scaleOf = async (...calibration: Feeds[]) =>
      (await quantized(graph, { calibration, naive: true })).graph.constants.get("centred_scale")!.data[0];
    const spread = (rows: number) => Math.fround((4 * (rows - 1)) / 255);
    expect(await scaleOf({ x: data })).toBe(spread(count));
    expect(await scaleOf({ x: data.subarray(0, 12) }, { x: data.subarray(12) })).toBe(spread(count - 3));
  });

  test("channels a thousand times apart: equalization gains more than 10 dB", async () => {
    const graph = networkGraph({ quantized: false, seed: 4 });
    // The same function, with the channels between two layers up to a thousand times apart.
    const scale = (name: string, each: number, factor: (c: number) => number) => {
      const { data } = graph.constants.get(name)!;
      for (let i = 0; i < data.length; i++) data[i]! *= factor(Math.floor(i / each) % 16);
    };
    scale("depthwise_w", 9, (c) => 10 ** (c % 4));
    scale("depthwise_b", 1, (c) => 10 ** (c % 4));
    scale("pointwise_w", 1, (c) => 10 ** -(c % 4));
    const [all, noEqualization, naive] = await Promise.all(
      [{}, { equalize: false }, { naive: true }].map(async (options) =>
        decibels(graph, (await quantized(graph, options)).graph),
      ),
    );
    expect(all).toBeGreaterThan(noEqualization! + 10);
    expect(all).toBeGreaterThan(naive! + 10);
  });

  test("naive: one scale a weight, min/max everywhere, nothing else", async () => {
    const { graph, summary } = await quantized(classifier(), { naive: true, range: "mse" });
    expect(graph.constants.get("w_scale")!.shape).toEqual([]);
    expect(summary.layers[0]!.range).toBe("minmax");
    expect([summary.biasCorrected, summary.equalized]).toEqual([[], []]);
    expect(decibels(classifier(), graph)).toBeGreaterThan(25);
  });

  test("layers without a bias get one from bias correction; weights of two nodes are stored once", async () => {
    const builder = new GraphBuilder();
    const w = builder.floats("w", [3, 3, 1, 1], 1);
    const a = builder.node("Conv", [builder.input("x", ["batch", 3, 4, 4]), w], "a", {
      kernel_shape: [1, 1],
    });
    const float = builder.build(builder.node("Conv", [a, w], "b", { kernel_shape: [1, 1] }));
    const { graph } = await quantized(float);
    expect([...graph.constants.keys()].filter((name) => /^w\b/.test(name))).toEqual(["w"]);
    expect(graph.constants.get("w_bias")!.dtype).toBe("i32");
    expect(find(graph, "Conv").inputs[2]).toBe("w_bias");
    expect(outside(graph)).toEqual(["QuantizeLinear", "DequantizeLinear"]);
    expect(decibels(float, graph)).toBeGreaterThan(30);
  });

  test("a scalar bias is repeated", async () => {
    const builder = new GraphBuilder();
    const inputs = [
      builder.input("x", ["batch", 8]),
      builder.floats("w", [4, 8], 1),
      builder.floats("b", [1], 1),
    ];
    const float = builder.build(builder.node("Linear", inputs, "y"));
    const { graph } = await quantize(float, { mode: "dynamic" });
    expect(graph.constants.get(find(graph, "Linear").inputs[2]!)!.shape).toEqual([4]);
    expect(decibels(float, graph)).toBeGreaterThan(30);
  });
});

describe("what stays float", () => {
  const reasonFor = async (
    build: (builder: GraphBuilder) => string,
    node: string,
    options?: QuantizeOptions,
  ) => {
    const builder = new GraphBuilder();
    const graph = builder.build(build(builder));
    const { graph: result, summary } = await quantized(graph, options);
    verify(result, registry);
    expect(decibels(graph, result)).toBeGreaterThan(15);
    return summary.layers.find(({ name }) => name === node)!.reason;
  };
  const linear = (builder: GraphBuilder, x: string, y: string, k: number, n: number) =>
    builder.node("Linear", [x, builder.floats(`${y}_w`, [n, k], 1)], y);

  test("sums of more products than int32 holds", async () => {
    const reason = await reasonFor(
      (b) => linear(b, b.input("x", ["batch", 32_897]), "y", 32_897, 1),
      "Linear_y",
      {
        force: true,
      },
    );
    expect(reason).toMatch(/32897 products.*32896/);
  });

  test("an operator without an integer form, between layers that have one", async () => {
    const build = (b: GraphBuilder) =>
      linear(
        b,
        b.node("Softmax", [linear(b, b.input("x", ["batch", 4]), "a", 4, 6)], "s", { axis: -1 }),
        "y",
        6,
        3,
      );
    expect(await reasonFor(build, "Softmax_s")).toBe("Softmax has no integer kernel");
  });

  test("an addition of different shapes or of a constant", async () => {
    const head = (b: GraphBuilder) => linear(b, b.input("x", ["batch", 4]), "a", 4, 4);
    const constant = (b: GraphBuilder) =>
      linear(b, b.node("Add", [head(b), b.floats("c", [4], 1)], "s"), "y", 4, 2);
    expect(await reasonFor(constant, "Add_s")).toBe("one side is a constant");
    const shapes = (b: GraphBuilder) =>
      linear(b, b.node("Add", [head(b), b.input("z", ["batch", 1])], "s"), "y", 4, 2);
    expect(await reasonFor(shapes, "Add_s")).toMatch(/shapes \[batch, 4\] and \[batch, 1\] differ/);
  });

  test("nodes by name, by override and by operator", async () => {
    const options: [QuantizeOptions, string, string][] = [
      [{ skip: ["Conv*"] }, "Conv_c", 'skipped by "Conv*"'],
      [{ overrides: { Linear_y: { float: true } } }, "Linear_y", "float by override"],
      [{ only: ["Linear"] }, "Conv_c", "Conv is not among the operators asked for"],
    ];
    for (const [option, name, reason] of options) {
      const { graph, summary } = await quantized(classifier(), option);
      expect(summary.layers.find((layer) => layer.name === name)!.reason).toBe(reason);
      expect(decibels(classifier(), graph)).toBeGreaterThan(30);
    }
  });

  test("a Relu that is not alone after its layer is an integer layer of its own", async () => {
    const builder = new GraphBuilder();
    const a = linear(builder, builder.input("x", ["batch", 4]), "a", 4, 4);
    const r = builder.node("Relu", [a], "r");
    const sum = builder.node("Add", [a, r], "s");
    const float = builder.build(linear(builder, sum, "y", 4, 3));
    const { graph } = await quantized(float);
    expect(layersOf(graph)).toMatchObject({
      Relu_r: "Relu, to codes",
      Add_s: "Add, to codes",
      Linear_y: "Linear",
    });
    expect(decibels(float, graph)).toBeGreaterThan(30);
  });
});

describe("dynamic", () => {
  /** Two layers read x; one has a Relu behind it. */
  function shared(): Graph {
    const builder = new GraphBuilder();
    const x = builder.input("x", ["batch", 8]);
    const a = builder.node("Linear", [x, builder.floats("v", [6, 8], 1), builder.floats("c", [6], 1)], "a");
    const b = builder.node("Linear", [x, builder.floats("w", [6, 8], 1)], "b");
    return builder.build(builder.node("Sub", [builder.node("Relu", [a], "r"), b], "y"));
  }

  test("rows are quantized once for all who read them; results are float", async () => {
    const { graph, summary } = await quantize(shared(), { mode: "dynamic" });
    expect(outside(graph)).toEqual(["DynamicQuantize", "Sub"]);
    expect(find(graph, "DynamicQuantize")).toMatchObject({
      outputs: ["x_codes", "x_scale", "x_zero_point"],
      attributes: { axis: -1 },
    });
    expect(layersOf(graph)).toEqual({ Linear_a: "Linear, bounded", Linear_b: "Linear" });
    expect(summary.samples).toBe(0);
    expect(decibels(shared(), graph)).toBeGreaterThan(35);
  });

  test("the runtime gives the reference's bytes", async () => {
    const { graph } = await quantize(shared(), { mode: "dynamic" });
    const feeds = randomFeeds(graph, 17);
    withModel(graph, { maxima: { batch: 17 } }, (model) => {
      expectSameBytes(model.runSync(feeds).y, runReference(graph, feeds).get("y")!);
    });
  });

  test("convolutions stay float and say why", async () => {
    const { summary } = await quantize(classifier(), { mode: "dynamic" });
    expect(summary.layers[0]!.reason).toMatch(/static mode/);
    expect(summary.layers.at(-1)!.quantized).toBe(true);
  });
});

describe("calibration", () => {
  test("progress counts samples, the event loop runs in between", async () => {
    const timer = vi.fn();
    const seen: number[] = [];
    setTimeout(timer, 0);
    const onProgress = ({ done: samples }: Progress) => {
      seen.push(samples);
      for (const start = performance.now(); performance.now() - start < WORK_MS; );
    };
    await quantized(classifier(), { onProgress });
    expect(seen).toEqual([16, 32, 48]);
    expect(timer).toHaveBeenCalled();
  });

  test("abort stops it with the signal's reason", async () => {
    const controller = new AbortController();
    const onProgress = () => controller.abort(new Error("enough"));
    await expect(quantized(classifier(), { onProgress, signal: controller.signal })).rejects.toThrow(
      "enough",
    );
  });

  test("what matches nothing is an error, with the name that was meant, but with force", async () => {
    const options: [QuantizeOptions, RegExp][] = [
      [
        { skip: ["Linar_y"] },
        /^skip: matches nothing: expected one of .*, got "Linar_y"\. Did you mean Linear_y\?/,
      ],
      [{ only: ["conv"] }, /^only: .*Did you mean Conv\?/],
      [{ overrides: { "nothing*": { bits: 4 } } }, /^overrides: matches nothing/],
    ];
    for (const [option, message] of options) {
      await expect(quantized(classifier(), option)).rejects.toThrow(message);
      expect((await quantized(classifier(), { ...option, force: true })).summary.warnings[0]).toMatch(
        /matches nothing$/,
      );
    }
  });

  test("a model of which nothing becomes int8 is an error, with the reasons, but with force", async () => {
    const option = { skip: ["*"] };
    await expect(quantized(classifier(), option)).rejects.toThrow(
      /no layer becomes int8: got .*skipped by "\*".*--force/,
    );
    const { graph, summary } = await quantized(classifier(), { ...option, force: true });
    expect(summary.warnings).toContain("no layer becomes int8");
    expect(graph.nodes.map(({ op }) => op)).not.toContain("QuantizeLinear");
  });

  test("few samples, NaN, patterns without a match and dead values are named in warnings", async () => {
    const graph = classifier();
    const feeds = samples(graph, 3);
    feeds.x!.data[5] = Number.NaN;
    const { summary } = await quantized(graph, { calibration: [feeds], skip: ["nothing*"], force: true });
    expect(summary.warnings.join("\n")).toMatch(/skip "nothing\*" matches nothing/);
    expect(summary.warnings.join("\n")).toMatch(/only 3 calibration samples/);
    expect(summary.warnings.join("\n")).toMatch(/"x" had 1 number/);
    const zeros = randomFeeds(graph, 40, 1, "zero");
    expect((await quantized(graph, { calibration: [zeros] })).summary.warnings).toContain(
      '"x" was zero throughout the calibration',
    );
  });

  test("a model with a fixed batch takes any number of samples", async () => {
    const graph = classifier();
    const fixed = { ...graph, inputs: [{ ...graph.inputs[0]!, shape: [1, 3, 6, 6] }] };
    const { summary } = await quantized(fixed, { calibration: [samples(graph, 40)] });
    expect(summary.samples).toBe(40);
  });
});

describe("errors", () => {
  test.each([
    ["no data", { calibration: undefined }, /calibration: static mode needs calibration data.*dynamic/],
    [
      "a data set for its batches",
      { calibration: { batches() {} } },
      /an iterable of batches.*data\.batches\(32\)/,
    ],
    ["empty data", { calibration: [] }, /calibration: there are no samples/],
    ["an unknown range", { range: "best" }, /range: unknown range method: expected auto, minmax.*got best/],
    ["9 bits", { overrides: { a: { bits: 9 } } }, /invalid number of weight bits/],
    ["an unknown mode", { mode: "weights" }, /mode: unknown mode/],
  ])("%s", async (_, options, message) => {
    await expect(quantized(classifier(), options as unknown as QuantizeOptions)).rejects.toThrow(message);
  });

  test("a quantized model", async () => {
    const { graph } = await quantized(classifier());
    await expect(quantized(graph)).rejects.toThrow(/quantized already/);
  });
});
