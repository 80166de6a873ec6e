// A misspelt option is told, with the name that was meant, wherever options are taken: in plain JavaScript too, where no compiler
// sees it.

import { describe, expect, test } from "vitest";
import { OctetteError } from "../src/errors";
import * as octette from "../src/index";
import * as nn from "../src/nn/index";
import { nearest } from "../src/options";
import * as runtime from "../src/runtime/index";
import { readExample } from "./examples";

const onnx = new Uint8Array(await readExample("digits.onnx"));
const graph = octette.importOnnx(onnx);
const bytes = octette.save(graph);
const x = octette.tensor("f32", [20, 1, 8, 8], new Float32Array(1280));
const labels = octette.tensor("i32", [20], new Int32Array(20));
const data = octette.createDataset({ [graph.inputs[0]!.name]: x }, graph.inputs, { labels });
const model = octette.loadSync(graph);
const linear = new nn.Linear(2, 2);
const parameters = () => nn.trainable(linear).parameters();

/** As JavaScript calls: any object for the options. */
const o = (options: object) => options as never;
const tune = (options: object) => () => octette.tune(graph, o({ data, ...options }));

const cases: [string, () => unknown, RegExp][] = [
  ["load", () => octette.load(bytes, o({ thread: 2 })), /^load: no option "thread".*Did you mean threads\?$/],
  ["load of a graph", () => octette.load(graph, o({ maxima_: {} })), /Did you mean maxima\?/],
  ["loadSync", () => octette.loadSync(bytes, o({ maxbytes: 1 })), /Did you mean maxBytes\?/],
  [
    "octette/runtime's load",
    () => runtime.load(bytes, o({ enginClass: "baseline" })),
    /Did you mean engineClass\?/,
  ],
  ["octette/runtime's loadSync", () => runtime.loadSync(bytes, o({ tap: [] })), /Did you mean taps\?/],
  ["verify", () => octette.verify(bytes, o({ thread: 2 })), /Did you mean threads\?/],
  ["importOnnx", () => octette.importOnnx(onnx, o({ symbol: {} })), /importOnnx: .*Did you mean symbols\?/],
  [
    "quantize",
    () => octette.quantize(graph, o({ calibrate: data.batches(2) })),
    /quantize: .*Did you mean calibration\?/,
  ],
  [
    "quantize, overrides",
    () => octette.quantize(graph, o({ mode: "dynamic", overrides: { "*": { bit: 4 } } })),
    /overrides\["\*"\]: no option "bit".*bits\?/,
  ],
  ["tune", tune({ epoch: 1 }), /^tune: no option "epoch".*Did you mean epochs\?$/],
  [
    "tune, optimizer",
    tune({ bits: "float", optimizer: { kind: "adamw", weight_decay: 0 } }),
    /optimizer: .*weightDecay\?/,
  ],
  [
    "tune, sgd",
    tune({ bits: "float", optimizer: { kind: "sgd", betas: [0, 0] } }),
    /optimizer: no option "betas"/,
  ],
  [
    "tune, schedule",
    tune({ bits: "float", schedule: { kind: "cosine", warmUp: 1 } }),
    /schedule: .*warmup\?/,
  ],
  ["tune, ranges", tune({ bits: "float", ranges: { kind: "moving", freeze: 1 } }), /ranges: .*freezeAt\?/],
  [
    "tune, losses",
    tune({ bits: "float", losses: [{ kind: "crossEntropy", smooth: 1 }] }),
    /losses\[0\]: .*smoothing\?/,
  ],
  [
    "tune, a loss that is none",
    tune({ bits: "float", losses: [{ kind: "hinge" }] }),
    /losses\[0\]\.kind: unknown loss/,
  ],
  ["tune, checkpoint", tune({ checkpoint: { save() {}, evry: 1 } }), /checkpoint: .*every\?/],
  ["evaluate", () => octette.evaluate(model, data, o({ layer: true })), /evaluate: .*Did you mean layers\?/],
  ["compare", () => octette.compare(model, model, data, o({ onprogress() {} })), /compare: .*onProgress\?/],
  ["benchmark", () => octette.benchmark(model, o({ second: 1 })), /benchmark: .*seconds\?/],
  [
    "createDataset",
    () => octette.createDataset({}, graph.inputs, o({ label: labels })),
    /createDataset: .*labels\?/,
  ],
  [
    "openDataset",
    () => octette.openDataset("x.npz", graph.inputs, o({ normalise: "1,0,1" })),
    /openDataset: .*normalize\?/,
  ],
  ["nn SGD", () => new nn.SGD(parameters(), o({ lr: 1, momentun: 0.9 })), /optimizer: .*momentum\?/],
  ["nn AdamW", () => new nn.AdamW(parameters(), o({ lr: 1, beta: [0.9, 0.99] })), /optimizer: .*betas\?/],
  ["nn Linear", () => new nn.Linear(1, 1, o({ biased: false })), /Linear: .*bias\?/],
  ["nn Conv2d", () => new nn.Conv2d(1, 1, 1, o({ pad: 1 })), /Conv2d: .*padding\?/],
  ["nn MaxPool2d", () => new nn.MaxPool2d(1, o({ strides: 1 })), /MaxPool2d: .*stride\?/],
  ["nn BatchNorm2d", () => new nn.BatchNorm2d(1, o({ momentum: 0.1 })), /BatchNorm2d: no option "momentum"/],
  ["nn LayerNorm", () => new nn.LayerNorm(1, o({ epsilon: 1 })), /LayerNorm: .*eps\?/],
  [
    "nn DataLoader",
    () => new nn.DataLoader({ inputs: x, labels: labels.data }, o({ batch: 2 })),
    /DataLoader: .*batchSize\?/,
  ],
  ["nn trainable", () => nn.trainable(linear, o({ sed: 1 })), /trainable: .*seed\?/],
  ["nn fuse", () => nn.fuse(linear, o({ shape: [1] })), /fuse: no option "shape"/],
  [
    "nn prepareQat",
    () => nn.prepareQat(graph, o({ calibration: data.batches(2), bit: 4 })),
    /prepareQat: .*bits\?/,
  ],
  [
    "nn quantizeDynamic",
    () => nn.quantizeDynamic(linear, undefined, undefined, o({ seeds: 1 })),
    /quantizeDynamic: .*seed\?/,
  ],
];

describe("an unknown name", () => {
  test.each(cases)("%s", async (_, call, message) => {
    const error = await (async () => call())().catch((cause) => cause);
    expect(error).toBeInstanceOf(OctetteError);
    expect(error).toMatchObject({ code: "argument", message: expect.stringMatching(message) });
  });
});

describe("numbers of tune that are out of range", () => {
  test.each([
    [{ epochs: 0 }, /epochs: .*a whole number from 1, got 0/],
    [{ epochs: 1.5 }, /epochs/],
    [{ seed: Number.NaN }, /seed: .*from 0, got NaN/],
    [{ seed: -1 }, /seed/],
    [{ clip: 0 }, /clip: .*above 0, got 0/],
    [{ accumulate: 0 }, /accumulate/],
    [{ batch: "64" }, /batch: .*got "64"/],
    [{ checkpoint: { every: 0, save() {} } }, /checkpoint\.every/],
    [{ checkpoint: {} }, /checkpoint\.save: .*a function, got undefined/],
    [{ checkpoint: null }, /checkpoint: options must be an object/],
  ])("%j", async (options, message) => {
    const error = await tune(options)().catch((cause) => cause);
    expect(error).toBeInstanceOf(OctetteError);
    expect(error.message).toMatch(message);
  });
});

test("null is no options", async () => {
  await expect(octette.load(bytes, null as never)).rejects.toThrow(
    "load: options must be an object: got null",
  );
  expect(() => octette.loadSync(bytes, 5 as never)).toThrow(OctetteError);
  await expect(octette.tune(graph, null as never)).rejects.toThrow(OctetteError);
});

test("the name that was meant", () => {
  const known = ["maxima", "taps", "maxBytes", "threads", "lr"];
  const meant = {
    maxbytes: "maxBytes",
    tap: "taps",
    maxmia: "maxima",
    thraeds: "threads",
    lrate: "lr",
    foo: undefined,
    "": undefined,
  };
  for (const [word, name] of Object.entries(meant)) expect(nearest(word, known)).toBe(name);
});
