// One item of the attack by mutation: a file of some format, changed, and all that may be done with it. It works or ends in
// octette's own error, soon, and without much memory.

import { gzipSync, zipSync } from "fflate";
import { Random } from "../../src/graph/random";
import type { CheckpointState, Dataset, Feeds, Graph, Tensor, TuneOptions } from "../../src/index";
import { graphOf } from "./graphs";
import { isOwn, mutatedFolder, mutatedGguf, openedFolder, openedGguf, useLanguage } from "./language";
import { mutateModel } from "./protobuf";
import { isTyped, type Octette } from "./runs";
import { damaged, mutateSealed } from "./sealed";
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
}

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

/** A small float network of 3 classes over images [N, 1, 4, 4]: what a test model needs to be quantized and trained. */
async function prepare(octette: Octette): Promise<Material> {
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
  return { float, onnx, artifacts, deltas, data, checkpoints, tuned: plain };
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

function runs(octette: Octette, source: Graph | Uint8Array, random: Random): void {
  const model = octette.loadSync(source as Graph, { maxBytes: MAX_BYTES, engineClass: "baseline" });
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

/** A data file: opened for the small network, and its samples read. */
const dataFile =
  (
    make: (random: Random) => {
      readonly name: string;
      readonly bytes: Uint8Array;
      readonly labels?: Uint8Array;
    },
  ): Format =>
  (octette, material, random) => {
    const { name, bytes, labels } = make(random);
    const use = async () => {
      const options = {
        ...(random.below(2) === 0 ? { normalize: "0.0625,0,1" } : {}),
        ...(labels ? { labels: { name: `labels-${name}`, bytes: labels } } : {}),
      };
      const dataset = await octette.openDataset({ name, bytes }, material.float.inputs, options);
      for (const batch of dataset.take(8).batches(4)) void batch;
    };
    return [bytes, use];
  };

const ascii = (text: string) => new TextEncoder().encode(text);

function npyBytes(random: Random, descr: string, shape: readonly number[]): Uint8Array {
  const size = Number(/\d+$/.exec(descr)![0]);
  const header = `{'descr': '${descr}', 'fortran_order': False, 'shape': (${shape.join(", ")},), }`;
  const padded = header.padEnd(118 - 1, " ") + "\n";
  const data = Uint8Array.from({ length: shape.reduce((n, dim) => n * dim, 1) * size }, () =>
    random.below(17),
  );
  const head = Uint8Array.of(
    0x93,
    0x4e,
    0x55,
    0x4d,
    0x50,
    0x59,
    1,
    0,
    padded.length & 255,
    padded.length >> 8,
  );
  return Buffer.concat([head, ascii(padded), data]);
}

/** Text of a header with a number, a quote or a bracket changed. */
function mutateText(text: string, random: Random): string {
  let changed = text;
  for (let n = random.below(3); n >= 0; n--) {
    const at = random.below(changed.length);
    const part = pick(random, [
      "",
      "9999999999",
      "-1",
      "1e9",
      "0",
      "'",
      '"',
      ",",
      "(",
      ")",
      "\n",
      "\r",
      ";",
      "\u0000",
      "é",
      "nan",
      "inf",
      "x",
    ]);
    changed = changed.slice(0, at) + part + changed.slice(at + random.below(3));
  }
  return changed;
}

function mutateNpy(bytes: Uint8Array, random: Random): Uint8Array {
  if (random.below(3) === 0) return damaged(bytes, random, Math.min(bytes.length, 140));
  const length = bytes[8]! + 256 * bytes[9]!;
  const header = ascii(mutateText(new TextDecoder().decode(bytes.subarray(10, 10 + length)), random));
  const head = bytes.slice(0, 10);
  if (random.below(4) > 0) head.set([header.length & 255, header.length >> 8], 8);
  return Buffer.concat([head, header, bytes.subarray(10 + length)]);
}

const maybePacked = (bytes: Uint8Array, random: Random): Uint8Array => {
  if (random.below(3) > 0) return bytes;
  const packed = gzipSync(bytes);
  return random.below(2) === 0 ? packed : damaged(packed, random);
};

const idxBytes = (random: Random, type: number, shape: readonly number[]) => {
  const head = new Uint8Array(4 + 4 * shape.length);
  head.set([0, 0, type, shape.length]);
  const view = new DataView(head.buffer);
  for (const [i, dim] of shape.entries()) view.setUint32(4 + 4 * i, dim);
  const size = { 8: 1, 9: 1, 11: 2, 12: 4, 13: 4, 14: 8 }[type] ?? 1;
  const data = Uint8Array.from({ length: size * shape.reduce((n, dim) => n * dim, 1) }, () =>
    random.below(3),
  );
  return Buffer.concat([head, data]);
};

function csvText(random: Random): string {
  const header =
    random.below(2) === 0 ? `${Array.from({ length: 16 }, (_, i) => `p${i}`).join(",")},label\n` : "";
  const rows = Array.from({ length: 1 + random.below(8) }, (_, i) =>
    [...Array.from({ length: 16 }, () => random.below(17)), i % 3].join(","),
  );
  return `${header}${rows.join(random.below(5) === 0 ? "\r\n" : "\n")}\n`;
}

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
  npz: [
    4,
    dataFile((random) => {
      const files = {
        "x.npy": npyBytes(random, pick(random, ["|u1", "<f4", "<f8", "<i8"]), [6, 1, 4, 4]),
        "labels.npy": npyBytes(random, "|u1", [6]),
      };
      const kind = random.below(3);
      if (kind === 0) return { name: "a.npz", bytes: damaged(zipSync(files), random) };
      const part = pick(random, ["x.npy", "labels.npy"] as const);
      const changed = { ...files, [part]: mutateNpy(files[part], random) };
      const zipped = zipSync(changed, { level: kind === 1 ? 0 : 6 });
      return { name: "a.npz", bytes: random.below(4) === 0 ? damaged(zipped, random) : zipped };
    }),
  ],
  npy: [
    4,
    dataFile((random) => {
      const bytes = npyBytes(random, pick(random, ["|u1", "<f4", "<f8", "<i8", "<i4", "|b1"]), [6, 1, 4, 4]);
      return {
        name: "a.npy",
        bytes: maybePacked(mutateNpy(bytes, random), random),
        labels: npyBytes(random, "|u1", [6]),
      };
    }),
  ],
  idx: [
    4,
    dataFile((random) => {
      const bytes = idxBytes(random, pick(random, [8, 8, 9, 11, 12, 13, 14]), [6, 4, 4]);
      return {
        name: "images.idx",
        bytes: maybePacked(damaged(bytes, random, random.below(2) === 0 ? 16 : bytes.length), random),
        labels:
          random.below(3) === 0 ? damaged(idxBytes(random, 8, [6]), random, 8) : idxBytes(random, 8, [6]),
      };
    }),
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
  csv: [
    4,
    dataFile((random) => ({
      name: "a.csv",
      bytes: maybePacked(ascii(mutateText(csvText(random), random)), random),
    })),
  ],
};

let material: Promise<Material> | undefined;

export async function mutationCase(octette: Octette, { seed, only }: Task, index: number): Promise<Result> {
  material ??= prepare(octette);
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
    if (isTyped(octette, error) || isOwn(error)) is = "typed";
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
