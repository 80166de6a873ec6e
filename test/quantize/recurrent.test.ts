// Quantizing LSTM, GRU and RNN: their weights become codes, their results stay near those of the float model, and the quantized model goes
// through an artifact and through ONNX as it is.

import { describe, expect, test } from "vitest";
import { readArtifact, writeArtifact } from "../../src/formats/octette";
import type { Graph } from "../../src/graph/graph";
import { tensor } from "../../src/graph/tensor";
import { importOnnx, load, loadSync, quantize, save } from "../../src/index";
import { toolkitOps } from "../../src/ops/toolkit";
import { simplify } from "../../src/passes/index";
import { createToolkit } from "../../src/toolkit/create-toolkit";
import { onnxOf } from "../../src/toolkit/export-onnx";
import { toolkit } from "../../src/toolkit/toolkit";
import { expectSameBytes } from "../check-tensors";
import { withModel } from "../engine/engines";
import { GraphBuilder, randomOf } from "../graph-builder";

const GATES = { LSTM: 4, GRU: 3, RNN: 1 };
const [STEPS, DEPTH, HIDDEN, CLASSES] = [12, 32, 48, 5];

/** A bidirectional layer, whose last state a linear layer reads. */
function classifier(op: keyof typeof GATES): Graph {
  const builder = new GraphBuilder(4);
  const n = GATES[op] * HIDDEN;
  builder.input("x", [STEPS, "batch", DEPTH]);
  const operands = [
    "x",
    builder.floats("w", [2, n, DEPTH], 0.4),
    builder.floats("r", [2, n, HIDDEN], 0.3),
    builder.floats("b", [2, 2 * n], 0.2),
  ];
  builder.multiple(op, operands, ["y", "h"], { direction: "bidirectional" });
  builder.node("Transpose", ["h"], "turned", { perm: [1, 0, 2] });
  builder.node("Flatten", ["turned"], "flat", { axis: 1 });
  builder.node("Linear", ["flat", builder.floats("v", [CLASSES, 2 * HIDDEN], 0.3)], "logits");
  return simplify(builder.build("logits", "y"), toolkitOps);
}

const { between } = randomOf(9);
const batch = (rows: number) => ({
  x: tensor(
    "f32",
    [STEPS, rows, DEPTH],
    Float32Array.from({ length: STEPS * rows * DEPTH }, () => between(-2, 2)),
  ),
});
const feeds = batch(8);
const run = (graph: Graph) => withModel(graph, { maxima: { batch: 8 } }, (model) => model.runSync(feeds));

/** 10 · log₁₀ of signal over noise. */
function sqnr(exact: ArrayLike<number>, actual: ArrayLike<number>): number {
  let [signal, noise] = [0, 0];
  for (let i = 0; i < exact.length; i++) {
    signal += exact[i]! ** 2;
    noise += (exact[i]! - actual[i]!) ** 2;
  }
  return 10 * Math.log10(signal / noise);
}

const modes = (["dynamic", "static"] as const).flatMap((mode) =>
  (Object.keys(GATES) as (keyof typeof GATES)[]).map((op) => [op, mode] as const),
);

describe.each(modes)("%s, %s", (op, mode) => {
  const float = classifier(op);
  const quantized = quantize(float, { mode, calibration: Array.from({ length: 8 }, () => batch(8)) });

  test("its weights are codes, and its results within 30 dB", async () => {
    const { graph, summary } = await quantized;
    expect(summary.layers.find((layer) => layer.op === op)).toMatchObject({ quantized: true });
    const node = graph.nodes.find((one) => one.op === op)!;
    expect(node.inputs.slice(1, 3).map((name) => graph.constants.get(name)!.dtype)).toEqual(["i8", "i8"]);
    expect(writeArtifact(graph).length).toBeLessThan(writeArtifact(float).length / 2);
    const [exact, actual] = [run(float), run(graph)];
    for (const name of ["logits", "y"])
      expect(sqnr(exact[name]!.data, actual[name]!.data)).toBeGreaterThan(30);
  });

  test("an artifact has it as it is", async () => {
    const { graph } = await quantized;
    const read = readArtifact(writeArtifact(graph)).graph;
    for (const [name, y] of Object.entries(run(graph))) expectSameBytes(run(read)[name], y, name);
  });

  test("so does ONNX", async () => {
    const { graph } = await quantized;
    const read = importOnnx(onnxOf(graph, toolkit), { name: graph.name });
    for (const [name, y] of Object.entries(run(graph))) expectSameBytes(run(read)[name], y, name);
  });
});

test("a layer whose weights are computed stays float, and says why", async () => {
  const builder = new GraphBuilder(2);
  const inputs = [
    builder.input("x", [3, 1, 4]),
    builder.input("w", [1, 5, 4]),
    builder.floats("r", [1, 5, 5], 1),
  ];
  builder.multiple("RNN", inputs, ["y"]);
  const { summary } = await quantize(builder.build("y"), { mode: "dynamic", force: true });
  expect(summary.layers).toMatchObject([{ quantized: false, reason: "its weight is not a float constant" }]);
});

describe("kernels over codes, which a toolkit imports", () => {
  const coded = quantize(classifier("GRU"), { mode: "dynamic" }).then(({ graph }) => graph);
  const missing = (attempt: () => unknown) =>
    expect(attempt).toThrow(
      expect.objectContaining({
        code: "unsupported",
        hint: "Call await preload() once before, or take the asynchronous load()",
      }),
    );

  test("what waits for nothing asks for them", async () => {
    const toolkit = createToolkit({});
    const graph = await coded;
    missing(() => loadSync(graph, { toolkit }));
    missing(() => save(graph, { toolkit }));
    await toolkit.preload();
    using model = loadSync(graph, { toolkit });
    const { logits } = model.runSync(feeds);
    expect(readArtifact(save(graph, { toolkit })).selfTest).toBeDefined();
    using same = await load(graph, { toolkit: createToolkit({}) });
    expectSameBytes(same.runSync(feeds).logits!, logits!);
  });

  test("what loads and what quantizes imports them", async () => {
    const graph = await coded;
    const [loading, quantizing] = [createToolkit({}), createToolkit({})];
    (await load(graph, { toolkit: loading })).dispose();
    await quantize(classifier("RNN"), { mode: "dynamic", toolkit: quantizing });
    expect(save(graph, { toolkit: loading })).toEqual(save(graph, { toolkit: quantizing }));
  });
});
