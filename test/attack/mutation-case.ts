// One item of the attack by mutation: a file of some format, changed, and all that may be done with it. It works or ends in
// octette's own error, soon, and without much memory.

import { zipSync } from "fflate";
import type { DataSource } from "../../src/data/index";
import { Random } from "../../src/graph/random";
import type { CheckpointState, Dataset, Feeds, Graph, Model, Tensor, TuneOptions } from "../../src/index";
import { graphOf } from "./graphs";
import {
  isOwn,
  mutatedFolder,
  mutatedGguf,
  openedFolder,
  openedGguf,
  useLanguage,
  wholeFolder,
} from "./language";
import { type DataFile, dataFiles } from "./mutation-data";
import { mutateModel } from "./protobuf";
import { isTyped, type Octette } from "./runs";
import { damaged, mutateSealed } from "./sealed";
import { mutatedTflite } from "./tflite";
import type { Result, Task } from "./worker";

/** Most processor time of an item, in milliseconds, and most memory that it may add, in bytes. */
const SLOW = 1000;
const LARGE = 100e6;
/** Memory of models that are run; of larger ones nothing is. */
const MAX_BYTES = 1 << 24;
const bounded = { maxBytes: MAX_BYTES };

type TrainingOptions = Pick<TuneOptions, "optimizer" | "scales">;

interface Material {
  readonly float: Graph;
  readonly onnx: Uint8Array;
  readonly artifacts: readonly Uint8Array[];
  readonly deltas: readonly (readonly [base: Uint8Array, delta: Uint8Array])[];
  readonly data: Dataset;
  readonly checkpoints: readonly (readonly [options: TrainingOptions, bytes: Uint8Array])[];
  readonly tuned: Graph;
  readonly samples: Uint8Array;
  readonly text: Text;
  readonly language: readonly Language[];
}

type Text = typeof import("../../src/text/index") & typeof import("../../src/quantize-language");

/** A language model, and a session of it that was saved. */
interface Language {
  readonly artifact: Uint8Array;
  readonly session: Uint8Array;
}

const SHORT = { maxTokens: 12, maxBytes: MAX_BYTES, engineClass: "baseline" } as const;

/** Of samples that come one after the other. */
const ROOM = { capacity: 6, replay: 2 };

const filled = (random: Random, dtype: Tensor["dtype"], shape: readonly number[]): Tensor => {
  const length = shape.reduce((n, dim) => n * dim, 1);
  const arrays = { f32: Float32Array, i8: Int8Array, u8: Uint8Array, i32: Int32Array, bool: Uint8Array };
  const value = () =>
    dtype === "f32"
      ? random.uniform() * 4 - 2
      : dtype === "bool" || dtype === "i32"
        ? random.below(2)
        : random.below(100);
  const values = Array.from({ length }, value);
  return { dtype, shape, data: arrays[dtype].from(values) };
};

/** Feeds for a graph whose symbols are all 2, or undefined where they would be large. */
function feedsOf(random: Random, graph: Graph): Feeds | undefined {
  const feeds: Record<string, Tensor> = Object.create(null);
  for (const { name, dtype, shape } of graph.inputs) {
    const known = shape.map((dim) => (typeof dim === "number" ? dim : 2));
    if (known.reduce((n, dim) => n * dim, 1) > 1 << 20) return undefined;
    feeds[name] = filled(random, dtype, known);
  }
  return feeds;
}

/** The small Llama of 8 and of 4 bits. */
async function prepareLanguage({ loadLanguageModel, quantizeLanguageModel }: Text): Promise<Language[]> {
  const files = wholeFolder(new Random(5));
  const made: Language[] = [];
  for (const bits of [8, 4] as const) {
    const options = { bits, calibration: "ab ab cab ab c", threads: 1 };
    const { bytes } = await quantizeLanguageModel(files, options);
    const model = await loadLanguageModel(bytes!, SHORT);
    const session = model.session();
    await session.prefill("ab a");
    made.push({ artifact: bytes!, session: session.save() });
    model.dispose();
  }
  return made;
}

/** A small float network of 3 classes over images [N, 1, 4, 4]: what a test model needs to be quantized and trained. */
async function prepare(octette: Octette, text: Text): Promise<Material> {
  const { onnxFile } = await import("../formats/onnx/model-file");
  const random = new Random(11);
  const weights = (shape: number[]) => filled(random, "f32", shape);
  const onnx = onnxFile({
    nodes: [
      {
        op: "Conv",
        inputs: ["x", "w1", "b1"],
        outputs: ["c"],
        name: "conv",
        attributes: { pads: [1, 1, 1, 1], kernel_shape: [3, 3] },
      },
      {
        op: "BatchNormalization",
        inputs: ["c", "s", "t", "m", "v"],
        outputs: ["n"],
        name: "norm",
        attributes: { epsilon: 1e-3 },
      },
      { op: "Relu", inputs: ["n"], outputs: ["r"], name: "relu" },
      {
        op: "MaxPool",
        inputs: ["r"],
        outputs: ["p"],
        name: "pool",
        attributes: { kernel_shape: [2, 2], strides: [2, 2] },
      },
      { op: "Flatten", inputs: ["p"], outputs: ["f"], name: "flatten" },
      { op: "Gemm", inputs: ["f", "w2", "b2"], outputs: ["y"], name: "fc", attributes: { transB: 1 } },
    ],
    inputs: [{ name: "x", shape: ["batch", 1, 4, 4] }],
    initializers: {
      w1: weights([3, 1, 3, 3]),
      b1: weights([3]),
      s: weights([3]),
      t: weights([3]),
      m: weights([3]),
      v: { ...weights([3]), data: Float32Array.of(1, 2, 0.5) },
      w2: weights([3, 12]),
      b2: weights([3]),
    },
  });
  const float = octette.importOnnx(onnx, { name: "small" });
  const calibration = [0, 1].map(() => ({ x: filled(random, "f32", [8, 1, 4, 4]) }));
  const plain = (await octette.quantize(float, { calibration })).graph;
  const narrow = (await octette.quantize(float, { calibration, overrides: { fc: { bits: 4 } } })).graph;
  const artifacts = [plain, narrow, float].map((graph) => octette.save(graph));
  const moved = (step: number): Graph => ({
    ...plain,
    constants: new Map(
      [...plain.constants].map(([name, value]) => [
        name,
        value.dtype === "i8" && value.shape.length > 1
          ? { ...value, data: value.data.map((code, i) => (i % step === 0 && code > -127 ? code - 1 : code)) }
          : value,
      ]),
    ),
  });
  const deltas = [2, 7].map((step) => {
    const base = artifacts[0]!;
    return [base, octette.createDelta(base, octette.save(moved(step)))] as const;
  });
  const x = filled(random, "f32", [24, 1, 4, 4]);
  const labels = {
    dtype: "i32" as const,
    shape: [24],
    data: Int32Array.from({ length: 24 }, (_, i) => i % 3),
  };
  const data = octette.createDataset(new Map([["x", x]]), float.inputs, { labels });
  const checkpoints: (readonly [options: TrainingOptions, bytes: Uint8Array])[] = [];
  for (const options of [
    {},
    { optimizer: { kind: "adamw" }, scales: "learned" },
  ] satisfies TrainingOptions[]) {
    const save = (state: CheckpointState) => void checkpoints.push([options, octette.writeCheckpoint(state)]);
    await octette.tune(plain, { ...training(data), ...options, checkpoint: { every: 2, save } });
  }
  const kept = octette.createSamples(float.inputs, ROOM);
  for (let i = 0; i < 9; i++) kept.push({ x: filled(random, "f32", [1, 4, 4]) }, i % 3);
  return {
    float,
    onnx,
    artifacts,
    deltas,
    data,
    checkpoints,
    tuned: plain,
    samples: kept.save(),
    text,
    language: await prepareLanguage(text),
  };
}

const training = (data: Dataset) => ({
  data,
  validation: data.take(6),
  epochs: 2,
  batch: 8,
  lr: 0.01,
  seed: 3,
});

/** Runs a decoder over four tokens. */
function decodes(octette: Octette, graph: Graph): void {
  const maxima = { tokens: 4, rows: 4 };
  const model = octette.loadSync(graph, { maxBytes: MAX_BYTES, engineClass: "baseline", maxima });
  try {
    model.runSync({ ids: Int32Array.of(1, 2, 3, 0) }, {}, { position: 0, rows: 4 });
  } finally {
    model.dispose();
  }
}

const baseline = { maxBytes: MAX_BYTES, engineClass: "baseline" } as const;

const runs = (octette: Octette, source: Graph | Uint8Array, random: Random): void =>
  runModel(octette.loadSync(source as Graph, baseline), random);

function runModel(model: Model, random: Random): void {
  try {
    const feeds = feedsOf(random, { inputs: model.inputs } as unknown as Graph);
    if (feeds) model.runSync(feeds);
  } finally {
    model.dispose();
  }
}

type Made = readonly [bytes: Uint8Array, use: () => unknown];
type Format = (octette: Octette, material: Material, random: Random, index: number) => Made;

/** A model as bytes: the small network, or one of the generator's. */
const modelBytes = (material: Material, random: Random, index: number) =>
  random.below(4) === 0 ? material.onnx : graphOf(77, index).model;

const mutatedModel = (material: Material, random: Random, index: number) => {
  const bytes = modelBytes(material, random, index);
  if (random.below(20) === 0) return bytes.slice(0, random.below(bytes.length));
  return random.below(7) === 0 ? damaged(bytes, random) : mutateModel(bytes, random);
};

const pick = <T>(random: Random, list: readonly T[]): T => list[random.below(list.length)]!;

/** Data as a page has them where they are a folder. */
const sourceOf = ({ name, bytes, folder }: DataFile): DataSource =>
  folder
    ? Object.entries(folder).map(([path, content]) =>
        Object.assign(new File([content as Uint8Array<ArrayBuffer>], path), { webkitRelativePath: path }),
      )
    : { name, bytes };

/** Data files: opened for a model, and samples read. */
const ofData = (make: (random: Random) => DataFile): Format => {
  return (octette, material, random) => {
    const file = make(random);
    const use = async () => {
      const inputs = file.input ? [file.input] : material.float.inputs;
      const dataset = await octette.openDataset(sourceOf(file), inputs, file.options);
      for (const batch of dataset.take(8).batches(4)) void batch;
    };
    return [file.bytes, use];
  };
};

const formats: Readonly<Record<string, readonly [share: number, Format]>> = {
  onnx: [
    34,
    (octette, material, random, index) => {
      const bytes = mutatedModel(material, random, index);
      return [bytes, () => runs(octette, octette.importOnnx(bytes), random)];
    },
  ],
  "onnx, quantized and saved": [
    10,
    (octette, material, random, index) => {
      const bytes =
        random.below(2) === 0 ? mutateModel(material.onnx, random) : mutatedModel(material, random, index);
      const use = async () => {
        const graph = octette.importOnnx(bytes);
        const calibration = [feedsOf(random, graph)].filter((feeds) => feeds !== undefined);
        const { graph: quantized } = await octette.quantize(graph, {
          calibration: calibration as never,
          ...bounded,
        });
        runs(octette, octette.save(quantized, bounded), random);
      };
      return [bytes, use];
    },
  ],
  "exported onnx": [
    8,
    (octette, material, random, index) => {
      const bytes = mutatedModel(material, random, index);
      const use = async () => {
        const graph = octette.importOnnx(bytes);
        runs(octette, octette.importOnnx(await octette.exportOnnx(graph)), random);
      };
      return [bytes, use];
    },
  ],
  tflite: [
    12,
    (octette, _, random) => {
      const bytes = mutatedTflite(random);
      return [bytes, async () => runModel(await octette.load(bytes, baseline), random)];
    },
  ],
  samples: [
    3,
    (octette, { float, samples }, random) => {
      const bytes = mutateSealed(samples, random);
      const use = () => {
        const read = octette.readSamples(bytes, float.inputs, ROOM);
        read.push({ x: filled(random, "f32", [1, 4, 4]) }, 1);
        for (const batch of read.dataset().batches(4)) void batch;
        read.save();
      };
      return [bytes, use];
    },
  ],
  octette: [
    24,
    (octette, material, random) => {
      const bytes = mutateSealed(pick(random, material.artifacts), random);
      return [bytes, () => runs(octette, bytes, random)];
    },
  ],
  "octette, saved again": [
    6,
    (octette, material, random) => {
      const bytes = mutateSealed(pick(random, material.artifacts), random);
      const use = () => {
        const { graph } = octette.readArtifact(bytes);
        runs(octette, octette.save(graph, bounded), random);
      };
      return [bytes, use];
    },
  ],
  delta: [
    8,
    (octette, material, random) => {
      const [base, delta] = pick(random, material.deltas);
      const bytes = mutateSealed(delta, random);
      return [bytes, () => runs(octette, octette.applyDelta(base, bytes), random)];
    },
  ],
  checkpoint: [
    3,
    (octette, material, random) => {
      const [options, whole] = pick(random, material.checkpoints);
      const bytes = mutateSealed(whole, random);
      const use = () => {
        const state = octette.readCheckpoint(bytes);
        const checkpoint = { state, save: () => {} };
        return octette.tune(material.tuned, { ...training(material.data), ...options, checkpoint });
      };
      return [bytes, use];
    },
  ],
  "octette of a language model": [
    6,
    (_, { text, language }, random) => {
      const { artifact, session } = pick(random, language);
      const isSession = random.below(3) === 0;
      const bytes = mutateSealed(isSession ? session : artifact, random);
      const use = async () => {
        const model = await text.loadLanguageModel(isSession ? artifact : bytes, SHORT);
        try {
          const own = model.session();
          if (isSession) own.restore(bytes);
          for await (const piece of own.generate(isSession ? "b" : "ab", { maxTokens: 2 })) void piece;
        } finally {
          model.dispose();
        }
      };
      return [bytes, use];
    },
  ],
  gguf: [
    10,
    (octette, _, random) => {
      const bytes = mutatedGguf(random);
      return [bytes, () => useLanguage(openedGguf(bytes), (graph) => decodes(octette, graph))];
    },
  ],
  folder: [
    10,
    (octette, _, random) => {
      const files = mutatedFolder(random);
      const use = () => useLanguage(openedFolder(files), (graph) => decodes(octette, graph));
      return [zipSync(files, { level: 0 }), use];
    },
  ],
  ...Object.fromEntries(Object.entries(dataFiles).map(([name, make]) => [name, [4, ofData(make)] as const])),
};

let material: Promise<Material> | undefined;

export async function mutationCase(
  octette: Octette,
  { seed, only, octette: path }: Task,
  index: number,
): Promise<Result> {
  material ??= Promise.all(
    ["text.js", "quantize-language.js"].map((file) => import(path.replace(/index\.js$/, file))),
  ).then(([text, quantizing]) => prepare(octette, { ...text, ...quantizing }));
  const ready = await material;
  const start = new Random(seed + 1000);
  const random = new Random([start.next(), index + 1, start.next(), Math.imul(index + 1, 0x85ebca6b)]);
  for (let i = 0; i < 8; i++) random.next();
  const used = Object.entries(formats).filter(([name]) => only.length === 0 || only.includes(name));
  const total = used.reduce((sum, [, [share]]) => sum + share, 0);
  let at = random.below(total);
  const [group, [, format]] = used.find(([, [share]]) => (at -= share) < 0)!;
  const [bytes, use] = format(octette, ready, random, index);
  const before = process.resourceUsage().maxRSS * 1024;
  const time = process.cpuUsage();
  let is = "works";
  let note = "";
  try {
    await use();
  } catch (error) {
    const { name, message, stack } = Object(error) as Error;
    if (isTyped(octette, error) || isOwn(error)) [is, note] = ["typed", message];
    else
      [is, note] = [
        "untyped",
        `${name}: ${message} ${stack
          ?.split("\n")
          .slice(1, 4)
          .map((line) => line.trim())
          .join(" < ")}`,
      ];
    if (is === "typed" && message.length > 4000)
      [is, note] = ["large", `a message of ${message.length} characters`];
  }
  const { user, system } = process.cpuUsage(time);
  const milliseconds = (user + system) / 1000;
  const grown = process.resourceUsage().maxRSS * 1024 - before;
  if (milliseconds > SLOW) [is, note] = ["slow", `${milliseconds.toFixed(0)} ms; ${note}`];
  else if (grown > LARGE) [is, note] = ["large", `${(grown / 1e6).toFixed(0)} MB; ${note}`];
  const isFinding = is !== "works" && is !== "typed";
  return {
    index,
    group,
    is,
    note,
    ...(isFinding ? { files: { bin: Buffer.from(bytes).toString("base64") } } : {}),
  };
}
