// The bytes of whole models' outputs are part of what octette promises: a change of how a model is held, planned or run
// must not change them. outputs.json has a SHA-256 of the outputs of every model and form, made at commit d81f23d by
//   OCTETTE_WRITE_OUTPUTS=1 npx vitest run --project node test/outputs.test.ts
// with all data present. Where a change of outputs is meant, that command makes the table anew, and the commit says why.

import { existsSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { sha256 } from "@noble/hashes/sha2.js";
import { bytesToHex } from "@noble/hashes/utils.js";
import { afterAll, describe, expect, test } from "vitest";
import { cifar, mnist } from "../bench/data.js";
import { readNpz } from "../src/formats/npz";
import { Random } from "../src/graph/random";
import {
  createDataset,
  type Dataset,
  type Feeds,
  type Graph,
  importOnnx,
  loadSync,
  quantize,
  tune,
} from "../src/index";
import { readExample } from "./examples";
import { bitsOf, dataFolder, realFile } from "./formats/fixtures";

type Forms = Record<string, string>;

const tableFile = join(import.meta.dirname, "outputs.json");
const isWriting = process.env.OCTETTE_WRITE_OUTPUTS !== undefined;
const table: Record<string, Forms> = existsSync(tableFile) ? JSON.parse(readFileSync(tableFile, "utf8")) : {};
const leftOut: string[] = [];

/** Rows that are fed, and rows of the plan: the second run is a smaller one. */
const ROWS = 5;
const PLANNED = 4;
/** Samples that calibrate a model, and that tune it: steps so small that each is one micro-batch. */
const CALIBRATION = 32;
const TUNING = 32;
const STEP = 8;

/** Hash of all outputs: names, types, shapes and bytes. */
function outputsOf(graph: Graph, feeds: Feeds): string {
  const isFixed = graph.inputs.every(({ shape }) => shape.every((dim) => typeof dim === "number"));
  const model = loadSync(graph, isFixed ? {} : { maxima: { [graph.inputs[0]!.shape[0]!]: PLANNED } });
  const hash = sha256.create();
  for (const [name, output] of Object.entries(model.runSync(feeds)))
    hash.update(new TextEncoder().encode(`${name} ${output.dtype} ${output.shape}\n`)).update(bitsOf(output));
  model.dispose();
  return bytesToHex(hash.digest());
}

function expectKnown(model: string, form: string, hash: string): void {
  if (isWriting) (table[model] ??= {})[form] = hash;
  else expect(hash, `${model}, ${form}`).toBe(table[model]?.[form]);
}

/** Float, int8 of both modes, and tuned: all that a float model becomes. */
function describeForms(name: string, open: () => Graph, samples: () => Dataset, lr: number): void {
  describe(name, () => {
    const rows = () => [...samples().take(ROWS).batches(ROWS)][0]!;

    test("float", () => expectKnown(name, "float", outputsOf(open(), rows())));

    test("static", async () => {
      const calibration = samples().take(CALIBRATION).batches(STEP);
      const { graph } = await quantize(open(), { calibration });
      expectKnown(name, "static", outputsOf(graph, rows()));
    });

    test("dynamic", async () => {
      const { graph } = await quantize(open(), { mode: "dynamic" });
      expectKnown(name, "dynamic", outputsOf(graph, rows()));
    });

    test("tuned", async () => {
      const data = samples().take(TUNING);
      const { graph, summary } = await tune(open(), {
        data,
        validation: data,
        batch: STEP,
        epochs: 2,
        lr,
        seed: 0,
      });
      expect(summary.best, "the epoch that is kept").toBeGreaterThan(0);
      expectKnown(name, "tuned", outputsOf(graph, rows()));
    });
  });
}

const once = <T>(make: () => T) => {
  let made: T | undefined;
  return () => (made ??= make());
};

const digits = await readExample("test.npz");
for (const name of ["digits", "digits_wild"]) {
  const bytes = await readExample(`${name}.onnx`);
  const open = () => importOnnx(bytes, { name });
  const samples = () => {
    const arrays = readNpz(digits);
    const normalize = { layout: "nchw", scale: 1 / 16, mean: [0], std: [1] } as const;
    return createDataset(arrays, open().inputs, { labels: arrays.get("labels")!, normalize });
  };
  describeForms(name, open, once(samples), 0.01);
}

const images = { mnist: once(() => mnist("test")), cifar: once(() => cifar("test")) };
for (const [name, set] of [
  ["mlp", images.mnist],
  ["resnet8", images.cifar],
  ["mobile", images.cifar],
  ["mobile_wild", images.cifar],
] as const) {
  const bytes = realFile(`vision/${name}.onnx`);
  if (!bytes) {
    leftOut.push(name);
    continue;
  }
  const open = () => importOnnx(bytes, { name });
  const samples = () => {
    const { shape, images, labels } = set();
    const length = shape.reduce((a, b) => a * b, 1);
    const data = images.subarray(0, TUNING * length);
    const arrays = new Map([["input", { dtype: "f32" as const, shape: [TUNING, ...shape], data }]]);
    return createDataset(arrays, open().inputs, {
      labels: { dtype: "u8", shape: [TUNING], data: labels.subarray(0, TUNING) },
    });
  };
  describeForms(name, open, once(samples), 0.001);
}

/** Numbers from a seed: floats in [−1, 1), codes of the whole range. */
function anyFeeds({ inputs }: Graph): Feeds {
  const random = new Random(7);
  return Object.fromEntries(
    inputs.map(({ name, dtype, shape }) => {
      const dims = shape.map((dim) => (typeof dim === "number" ? dim : ROWS));
      const count = dims.reduce((a, b) => a * b, 1);
      const data =
        dtype === "f32"
          ? Float32Array.from({ length: count }, () => random.uniform() * 2 - 1)
          : (dtype === "i8" ? new Int8Array(count) : new Uint8Array(count)).map(() => random.below(256));
      return [name, { dtype, shape: dims, data }];
    }),
  );
}

/** MLPerf Tiny's models, float and quantized by others, where they lie beside the data. */
const tiny = dataFolder && join(dataFolder, "../peers/models/tiny_onnx");
const tinyFiles = tiny && existsSync(tiny) ? readdirSync(tiny).filter((file) => file.endsWith(".onnx")) : [];
if (tinyFiles.length === 0) leftOut.push("MLPerf Tiny");
describe.skipIf(tinyFiles.length === 0)("MLPerf Tiny", () => {
  test.each(tinyFiles)("%s", (file) => {
    const graph = importOnnx(readFileSync(join(tiny!, file)));
    expectKnown(file, "as it comes", outputsOf(graph, anyFeeds(graph)));
  });
});

if (leftOut.length > 0)
  console.log(`Outputs of ${leftOut.join(", ")} are left out: their files are not here.`);

afterAll(() => {
  if (isWriting) writeFileSync(tableFile, `${JSON.stringify(table, null, 2)}\n`);
});
