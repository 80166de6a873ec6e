// Numbers that are no bytes, such as those of sensors, normalized: whatever calibrates, trains, evaluates or runs a model on them
// sees the same numbers, to the digit.

import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { readNpy, writeNpy } from "../../src/formats/npy";
import type { Graph } from "../../src/graph/graph";
import { type Tensor, tensor } from "../../src/graph/tensor";
import {
  applyDelta,
  evaluate,
  load,
  openDataset,
  parseNormalize,
  quantize,
  readArtifact,
  save,
  tune,
  withPreprocessing,
} from "../../src/index";
import { GraphBuilder, randomOf } from "../graph-builder";
import { octette } from "./spawn";

const NORMALIZE = "1/4,3,2";
const CLASSES = 3;
const SAMPLES = 120;

/** The models are so small that int8 makes no smaller files of them, which is refused. */
const FORCE = "--force";

/** A multilayer perceptron over six sensors, and a convolution over 8 × 8 of them. */
const models: Readonly<Record<string, () => Graph>> = {
  mlp: () => {
    const b = new GraphBuilder(3);
    const weights = (name: string, shape: number[]) => b.constant(name, randomTensor(name.length, shape));
    const hidden = b.node(
      "Linear",
      [b.input("x", ["batch", 6]), weights("w1", [16, 6]), weights("b1", [16])],
      "h",
    );
    b.node("Linear", [b.node("Relu", [hidden], "r"), weights("w20", [CLASSES, 16])], "logits");
    return b.build("logits");
  },
  cnn: () => {
    const b = new GraphBuilder(4);
    const weights = (name: string, shape: number[]) => b.constant(name, randomTensor(name.length, shape));
    const attributes = { kernel_shape: [3, 3], pads: [1, 1, 1, 1] };
    const map = b.node(
      "Conv",
      [b.input("x", ["batch", 1, 8, 8]), weights("w1", [4, 1, 3, 3])],
      "c",
      attributes,
    );
    const pooled = b.node("GlobalAveragePool", [b.node("Relu", [map], "r")], "p");
    const flat = b.node("Flatten", [pooled], "f", { axis: 1 });
    b.node("Linear", [flat, weights("w20", [CLASSES, 4])], "logits");
    return b.build("logits");
  },
};

function randomTensor(seed: number, shape: number[]): Tensor {
  const random = randomOf(seed);
  return tensor(
    "f32",
    shape,
    Float32Array.from({ length: shape.reduce((a, d) => a * d, 1) }, () => random.between(-0.8, 0.8)),
  );
}

let folder: string;
const file = (name: string) => join(folder, name);
const json = async (...args: string[]) => {
  const { code, stdout, stderr } = await octette([...args, "--json"]);
  expect(stderr.includes("far outside"), stderr).toBe(false);
  expect(code, stderr).toBe(0);
  return JSON.parse(stdout);
};

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "octette-sensors-"));
});
afterAll(() => rm(folder, { recursive: true }));

for (const [name, build] of Object.entries(models))
  describe(name, () => {
    const graph = build();
    const features = graph.inputs[0]!.shape.slice(1).reduce<number>((n, d) => n * Number(d), 1);
    const random = randomOf(7);
    /** Readings around 12, which the model wants around 0; the class is that of their mean. */
    const x = Float32Array.from({ length: SAMPLES * features }, (_, i) => {
      const level = Math.floor(i / features) % CLASSES;
      return Math.round(64 * (8 + 4 * level + random.between(-7, 7))) / 64;
    });
    const labels = Int32Array.from({ length: SAMPLES }, (_, i) => i % CLASSES);
    const [float, csv, npy] = [`${name}.octette`, `${name}.csv`, `${name}.npy`];

    beforeAll(async () => {
      const header = Array.from({ length: features }, (_, i) => `s${i}`).join(",");
      const rows = Array.from({ length: SAMPLES }, (_, i) =>
        [labels[i], ...x.subarray(i * features, (i + 1) * features)].join(","),
      );
      await writeFile(file(csv), `label,${header}\n${rows.join("\n")}\n`);
      const shape = [SAMPLES, ...graph.inputs[0]!.shape.slice(1).map(Number)];
      await writeFile(file(npy), writeNpy({ dtype: "f32", shape, data: x }));
      await writeFile(file(float), save(graph));
    });

    const percent = (logits: Tensor) => {
      let right = 0;
      for (const [i, label] of labels.entries()) {
        const row = logits.data.subarray(i * CLASSES, (i + 1) * CLASSES);
        if (row.indexOf(Math.max(...row)) === label) right++;
      }
      return (100 * right) / SAMPLES;
    };

    /** The accuracy of an artifact on the readings: as eval, run and the library find it, which must agree. */
    async function accuracyOf(artifact: string): Promise<number> {
      const { top1 } = await json("eval", artifact, "--data", file(csv));
      const out = file(`${name}-out`);
      await json("run", artifact, "--input", `x=${file(npy)}`, "-o", out);
      const written = readNpy(await readFile(join(out, "logits.npy")));
      const model = await load(artifact);
      try {
        const { logits } = await model.run({ x });
        expect(written).toEqual(logits);
        expect(percent(logits!)).toBe(top1);
        const data = await openDataset(file(csv), model.inputs);
        expect((await evaluate(model, data)).top1).toBe(top1);
        const [own] = [...data.batches(SAMPLES)];
        expect((await model.run(own!)).logits).toEqual(logits);
      } finally {
        model.dispose();
      }
      return top1;
    }

    test("tuned with --normalize: eval, run, the library and tuning again agree", async () => {
      const [tuned, again] = [file(`${name}-tuned.octette`), file(`${name}-again.octette`)];
      const data = [
        "--data",
        file(csv),
        "--eval",
        file(csv),
        "--lr",
        "0.05",
        "--batch",
        "16",
        "--teacher",
        "none",
      ];
      const first = await json(
        "tune",
        file(float),
        ...data,
        "--normalize",
        NORMALIZE,
        "--epochs",
        "20",
        "-o",
        tuned,
      );
      const models: { name: string; top1: number }[] = first.models;
      const top1 = models.find((model) => model.name === "tuned")!.top1;
      expect(top1).toBeGreaterThan(60);
      expect(await accuracyOf(tuned)).toBe(top1);
      expect((await json("eval", tuned, "--data", file(csv), "--normalize", NORMALIZE)).top1).toBe(top1);
      expect((await json("eval", tuned, "--data", file(csv), "--against", file(float))).top1).toBe(top1);

      const second = await json("tune", tuned, ...data, "--epochs", "1", "-o", again);
      expect(second.models.find((model: { name: string }) => model.name === "before").top1).toBe(top1);
      expect(readArtifact(await readFile(again)).graph.inputs).toEqual(
        readArtifact(await readFile(tuned)).graph.inputs,
      );
      // What --normalize says again is what the artifact says.
      const delta = file(`${name}.delta`);
      await json(
        "tune",
        tuned,
        ...data,
        "--epochs",
        "1",
        "--normalize",
        NORMALIZE,
        "--delta",
        tuned,
        "-o",
        delta,
      );
      const applied = applyDelta(await readFile(tuned), await readFile(delta));
      expect(applied).toEqual(new Uint8Array(await readFile(again)));
    });

    test("quantized with --normalize: the same", async () => {
      const quantized = file(`${name}-int8.octette`);
      await json(
        "quantize",
        file(float),
        FORCE,
        "--calibrate",
        file(csv),
        "--normalize",
        NORMALIZE,
        "-o",
        quantized,
      );
      const { inputs } = await json("inspect", quantized);
      expect(inputs[0].preprocessing).toEqual(parseNormalize(`${NORMALIZE},numbers`));
      expect((await octette(["inspect", quantized])).stdout).toContain(`all that is fed by ${NORMALIZE}`);
      const top1 = await accuracyOf(quantized);
      // The float model, told how, is the reference.
      const reference = await json("eval", file(float), "--data", file(csv), "--normalize", NORMALIZE);
      expect(Math.abs(top1 - reference.top1)).toBeLessThan(5);
      const page = file(`${name}-page`);
      await json("bundle", quantized, "-o", page);
      const { load: loadBundled } = await import(pathToFileURL(join(page, "octette.js")).href);
      const [bundled, own] = [await loadBundled(), await load(quantized)];
      expect(await bundled.run({ x })).toEqual(await own.run({ x }));
      for (const model of [bundled, own]) model.dispose();
      for (const command of ["bench", "footprint"])
        await json(command, quantized, ...(command === "bench" ? ["--seconds", "1"] : []));
    });

    test("quantized without data: the text says that it is of any numbers", async () => {
      const dynamic = file(`${name}-dynamic.octette`);
      await json(
        "quantize",
        file(float),
        FORCE,
        "--mode",
        "dynamic",
        "--normalize",
        `${NORMALIZE},numbers`,
        "-o",
        dynamic,
      );
      await accuracyOf(dynamic);
    });

    test("in the library: by what normalized the data set, or by what the graph says of bytes", async () => {
      const normalize = parseNormalize(NORMALIZE);
      const data = await openDataset(file(csv), graph.inputs, { normalize });
      const saysBytes = withPreprocessing(graph, { preprocessing: { x: normalize } });
      const saysData = withPreprocessing(graph, data);
      const wanted = parseNormalize(`${NORMALIZE},numbers`);
      const calibration = () => data.batches(32);
      const graphs = [
        (await quantize(saysBytes, { calibration: calibration() })).graph,
        (await quantize(saysData, { calibration: calibration() })).graph,
      ];
      for (const start of [saysBytes, saysData])
        graphs.push((await tune(start, { data, epochs: 1, batch: 16, lr: 0.01 })).graph);
      const deployed = (await quantize(saysBytes, { mode: "dynamic" })).graph;
      expect(deployed.inputs[0]!.preprocessing).toEqual(normalize);
      const saved = graphs.map((one) => save(one));
      for (const one of graphs) expect(one.inputs[0]!.preprocessing).toEqual(wanted);
      expect(saved[0]).toEqual(saved[1]);
      expect(saved[2]).toEqual(saved[3]);
      const artifact = file(`${name}-library.octette`);
      for (const bytes of [saved[0]!, saved[2]!]) {
        await writeFile(artifact, bytes);
        await accuracyOf(artifact);
      }
      // Without any of it the model takes its own numbers, as ever.
      expect((await quantize(graph, { calibration: calibration() })).graph.inputs).toEqual(graph.inputs);
    });
  });

test("two models that normalize in different ways are not compared, nor does one teach the other", async () => {
  const [one, other] = [file("one.octette"), file("other.octette")];
  for (const [path, text] of [
    [one, "1/4,3,2,numbers"],
    [other, "1/8,3,2,numbers"],
  ] as const)
    await writeFile(
      path,
      save(withPreprocessing(models.mlp!(), { preprocessing: { x: parseNormalize(text) } })),
    );
  const message =
    /other.octette, input "x": normalizes differently: expected 1\/4,3,2,numbers, got 1\/8,3,2,numbers\./;
  const data = ["--data", file("mlp.csv")];
  const compared = await octette(["eval", one, ...data, "--against", other]);
  const taught = await octette(["tune", one, ...data, "--teacher", other, "-o", file("taught.octette")]);
  for (const { code, stderr } of [compared, taught]) {
    expect(code).toBe(1);
    expect(stderr).toMatch(message);
  }
});

test("a table without rows measures nothing", async () => {
  const [header] = (await readFile(file("mlp.csv"), "utf8")).split("\n");
  await writeFile(file("empty.csv"), `${header}\n`);
  await writeFile(file("whole.octette"), save(models.mlp!()));
  const args = ["eval", file("whole.octette"), "--data", file("empty.csv"), ...["--header", "yes"]];
  expect(await octette(args)).toMatchObject({
    code: 1,
    stderr: expect.stringMatching(/empty\.csv: there is nothing to measure: expected samples, got none/),
  });
});

test("a table of numbers that are no bytes, for a model that normalizes bytes alone: it says so", async () => {
  const path = file("bytes.octette");
  await writeFile(
    path,
    save(withPreprocessing(models.mlp!(), { preprocessing: { x: parseNormalize(NORMALIZE) } })),
  );
  const { code, stderr } = await octette(["eval", path, "--data", file("mlp.csv")]);
  expect(code).toBe(0);
  expect(stderr).toMatch(/mlp\.csv.*not bytes.*1\/4,3,2.*--normalize/);
});
