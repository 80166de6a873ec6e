// An op of a user's own, from its kernel to a model that is tuned with it: what docs/own-op.md shows.

import asc from "assemblyscript/asc";
import { beforeAll, describe, expect, test } from "vitest";
import { core } from "../../build/groups/core";
import { baseline, common } from "../../src/engine/inlined";
import {
  createDataset,
  evaluate,
  importOnnx,
  load,
  loadSync,
  OctetteError,
  quantize,
  save,
  tensor,
  tune,
  verify,
} from "../../src/index";
import type { Registry } from "../../src/ops/infer";
import { createRuntime } from "../../src/runtime/index";
import {
  countOf,
  createToolkit,
  type OwnOp,
  type OwnTables,
  type Toolkit,
} from "../../src/toolkit/create-toolkit";
import { expectClose, expectSameBytes } from "../check-tensors";
import { onnxFile } from "../formats/onnx/model-file";
import { randomOf } from "../graph-builder";

/** y = x / (gain + |x|), elements begin to end; y may be x. */
const KERNEL = `
  export function squash(y: usize, x: usize, gain: f32, begin: i32, end: i32): void {
    for (let i = begin; i < end; i++) {
      const v = load<f32>(x + ((<usize>i) << 2));
      store<f32>(y + ((<usize>i) << 2), v / (gain + abs(v)));
    }
  }`;

const squash: OwnOp = {
  attributes: ["gain"],
  infer: (node, [x]) => {
    if (x?.dtype === "f32") return [x];
    throw new OctetteError("its input is not f32", { code: "graph", where: `${node.op} "${node.name}"` });
  },
  rows: true,
  lower({ node, inputs, outputs }, c) {
    const [x, y] = [inputs[0]!, outputs[0]!];
    const { gain = 1 } = node.attributes as { gain?: number };
    c.emit("squash", [c.output(y, x), c.input(x), gain], countOf(c.type(x).shape));
  },
  codes: "none",
  homogeneous: undefined,
  trained: undefined,
};

const HIDDEN = 16;
const CLASSES = 3;
const GAIN = 0.5;

const { between } = randomOf(3);
const random = (...shape: number[]) =>
  tensor(
    "f32",
    shape,
    Float32Array.from({ length: shape.reduce((a, b) => a * b, 1) }, () => between(-1, 1)),
  );
const weights = {
  w1: random(HIDDEN, 4),
  b1: random(HIDDEN),
  w2: random(CLASSES, HIDDEN),
  b2: random(CLASSES),
};

/** Two layers with the operator of another domain between them. */
const file = onnxFile({
  nodes: [
    { op: "Gemm", name: "first", inputs: ["x", "w1", "b1"], outputs: ["h"], attributes: { transB: 1 } },
    {
      op: "Squash",
      name: "act",
      domain: "com.example",
      inputs: ["h"],
      outputs: ["s"],
      attributes: { gain: { float: GAIN } },
    },
    { op: "Gemm", name: "last", inputs: ["s", "w2", "b2"], outputs: ["y"], attributes: { transB: 1 } },
  ],
  initializers: weights,
});

/** The same in float64. */
function expected(x: Float32Array): number[] {
  const layer = (from: readonly number[], w: Float32Array, b: Float32Array) =>
    Array.from(b, (bias, o) => from.reduce((sum, v, i) => sum + v * w[o * from.length + i]!, bias));
  const data = (name: keyof typeof weights) => weights[name].data as Float32Array;
  return Array.from({ length: x.length / 4 }, (_, row) => [...x.subarray(4 * row, 4 * row + 4)]).flatMap(
    (row) => {
      const hidden = layer(row, data("w1"), data("b1")).map((v) => v / (GAIN + Math.abs(v)));
      return layer(hidden, data("w2"), data("b2"));
    },
  );
}

let mine: Uint8Array;
let tables: OwnTables;
let toolkit: Toolkit;
beforeAll(async () => {
  const options = { runtime: "stub", importMemory: true, optimizeLevel: 3 } as const;
  const { binary, error, stderr } = await asc.compileString(KERNEL, options);
  if (!binary) throw error ?? new Error(stderr.toString());
  mine = binary;
  tables = {
    ops: { Squash: squash },
    conversions: { "com.example.Squash": "Squash" },
    gradients: {
      /** dx = dy · gain / (gain + |x|)². */
      Squash({ node, inputs }, [dy], b) {
        const [x] = inputs as [string];
        const gain = b.data(tensor("f32", [], [Number(node.attributes.gain ?? 1)]));
        const [sum] = b.write("Add", [b.write("Abs", [x])[0], gain]);
        const [slope] = b.write("Div", [gain, b.write("Mul", [sum, sum])[0]]);
        b.give(x, b.write("Mul", [dy!, slope])[0]);
      },
    },
    wasm: { mine },
  };
  toolkit = createToolkit(tables);
});

const x = random(37, 4);

describe("an op of a user's own", () => {
  test("is read from a file of another domain, and runs", async () => {
    const graph = importOnnx(file, { toolkit });
    expect(graph.nodes.map(({ op }) => op)).toContain("Squash");
    const model = await load(graph, { toolkit, maxima: { batch: 8 } });
    // A batch beyond its maximum is cut: its rows stay apart.
    const y = (await model.run({ x })).y!;
    expectClose(y, tensor("f32", [37, CLASSES], expected(x.data as Float32Array)), "y");
    model.dispose();
  });

  test("is quantized around, saved, loaded, verified and evaluated", async () => {
    const graph = importOnnx(file, { toolkit });
    const { graph: quantized, summary } = await quantize(graph, { toolkit, calibration: [{ x }] });
    expect(summary.layers.flatMap(({ name, quantized }) => (quantized ? [name] : []))).toEqual([
      "first",
      "last",
    ]);
    const bytes = save(quantized, { toolkit });
    expect(await verify(bytes, { toolkit })).toBe(true);
    const [float, int8] = [loadSync(graph, { toolkit }), loadSync(bytes, { toolkit })];
    const y = int8.runSync({ x }).y!;
    const data = createDataset({ x }, graph.inputs);
    const evaluation = await evaluate(loadSync(quantized, { toolkit }), data, {
      toolkit,
      against: float,
      layers: true,
    });
    expect(evaluation.sqnrDb).toBeGreaterThan(25);
    expect(evaluation.layers!.length).toBeGreaterThan(1);
    // The device: the core's ops and this one.
    const device = createRuntime({ ...core, Squash: squash } as Registry, {
      common,
      baseline,
      mine,
    }).loadSync(bytes);
    expectSameBytes(device.runSync({ x }).y, y);
  });

  test("is tuned through", async () => {
    const graph = importOnnx(file, { toolkit });
    const samples = random(256, 4);
    const labels = Int32Array.from({ length: 256 }, (_, i) => {
      const [a, b] = samples.data.subarray(4 * i, 4 * i + 2);
      return a! > 0 ? (b! > 0 ? 0 : 1) : 2;
    });
    const data = createDataset({ x: samples }, graph.inputs, { labels: tensor("i32", [256], labels) });
    const options = { data, epochs: 30, batch: 16, lr: 0.02, teacher: "none" } as const;
    const { summary, graph: tuned } = await tune(graph, { toolkit, ...options });
    expect(summary.trained.length).toBe(4);
    expect(summary.after.accuracy).toBeGreaterThan(summary.before.accuracy + 10);
    expect(summary.after.loss).toBeLessThan(summary.before.loss / 2);
    expect(await verify(save(tuned, { toolkit }), { toolkit })).toBe(true);
    const { gradients: _, ...without } = tables;
    await expect(tune(graph, { toolkit: createToolkit(without), ...options })).rejects.toThrow(
      expect.objectContaining({
        code: "unsupported",
        message: expect.stringMatching(/no gradient.*Squash "act"/),
      }),
    );
  });
});

describe("what does not fit is told", () => {
  test("without the toolkit", () => {
    expect(() => importOnnx(file)).toThrow(/operators that octette does not have: got com\.example\.Squash/);
    const graph = importOnnx(file, { toolkit });
    expect(() => loadSync(graph)).toThrow(/operators that are not in this runtime: Squash/);
    expect(() => loadSync(graph, { toolkit: tables as never })).toThrow(/expected what createToolkit gives/);
  });

  const { codes: _, ...withoutTrait } = squash;
  const refused: readonly (readonly [string, Record<string, unknown>, RegExp])[] = [
    ["a trait", withoutTrait, /^op "Squash": trait codes is missing/],
    [
      "a way to treat codes",
      { ...squash, codes: "tabel" },
      /trait codes does not fit: expected .*table.*got tabel/,
    ],
    ["steps over codes", { ...squash, codes: "table" }, /lowerInteger is missing, which codes "table" needs/],
    ["a name that is known", { ...squash, atributes: [] }, /no option "atributes".*Did you mean attributes/],
    ["infer", { ...squash, infer: undefined }, /infer is missing/],
    ["lower", { ...squash, lower: undefined }, /lower is missing/],
  ];
  test.each(refused)("without %s", (_, op, message) => {
    const attempt = () => createToolkit({ ops: { Squash: op as never } });
    expect(attempt).toThrow(
      expect.objectContaining({ code: "argument", message: expect.stringMatching(message) }),
    );
  });

  test("names that are taken, and conversions and gradients of no op", () => {
    expect(() => createToolkit({ ops: { Relu: squash } })).toThrow(
      /^op "Relu": octette has an op of this name/,
    );
    expect(() => createToolkit({ conversions: { "a.B": "C" } })).toThrow(
      /^conversion of "a\.B": there is no such op/,
    );
    expect(() => createToolkit({ gradients: { Squash: () => {} } })).toThrow(
      /^gradient of "Squash": does not fit/,
    );
    expect(() => createToolkit({ wasm: { mine: Uint8Array.of(1, 2, 3) } })).toThrow(
      /^wasm\.mine: does not fit/,
    );
  });

  test("a kernel that is missing, or takes other arguments", async () => {
    const graph = importOnnx(file, { toolkit });
    const { wasm: _, ...without } = tables;
    const bare = createToolkit(without);
    await bare.preload();
    expect(() => loadSync(graph, { toolkit: bare })).toThrow(
      expect.objectContaining({ code: "engine", message: expect.stringMatching(/no kernel "squash"/) }),
    );
    const short: OwnOp = {
      ...squash,
      lower: ({ inputs, outputs }, c) => c.emit("squash", [c.output(outputs[0]!), c.input(inputs[0]!)], 1),
    };
    const wrong = createToolkit({ ...tables, ops: { Squash: short } });
    expect(() => loadSync(graph, { toolkit: wrong })).toThrow(
      /^op "Squash": kernel "squash" takes other arguments: expected 5, got 4/,
    );
  });
});
