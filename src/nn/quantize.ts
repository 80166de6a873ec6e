// PyTorch's names for the ways from a model to one that is trained or deployed: thin, over the passes of the graph and the quantizer.

import type { Feeds } from "../engine/feeds";
import { OctetteError } from "../errors";
import type { Graph } from "../graph/graph";
import type { Shape } from "../graph/symbols";
import { LONG_CALL, type LongCallOptions } from "../long-call";
import { checkOptions, type Names } from "../options";
import { simplify } from "../passes/index";
import { type Batches, quantize } from "../quantize/index";
import { toolkit } from "../toolkit/toolkit";
import { DataLoader } from "./data-loader";
import { Linear } from "./linear";
import { type Layer, layersOf, Module } from "./module";
import { trace, traceToTrain } from "./trace";
import { Trainable } from "./trainable";

/** What `trainable` and its like are told of a model's input. */
export interface InputOptions {
  /** Shape of a module's input, as `trace` takes it: needed unless it begins with Linear or Embedding. Default: what these tell. */
  readonly inputShape?: Shape;
  /** Seed of the masks that Dropout draws; default 0. */
  readonly seed?: number;
}

const INPUT = { inputShape: 1, seed: 1 } satisfies Names<InputOptions>;

/**
 * The graph of a model with BatchNorm folded into its neighbours and activations joined with what they follow. Quantizing begins
 * with it; a graph that is simple already comes back as it is.
 */
export function fuse(model: Module | Graph, options: InputOptions = {}): Graph {
  checkOptions("fuse", options, INPUT);
  return model instanceof Module ? trace(model, options.inputShape) : simplify(model, toolkit.ops);
}

/**
 * A model to train as it is: in float, or a graph that is quantized. A module's weights are copied; `loadStateDict` brings back
 * what became of them: `model.loadStateDict(trained.graph().constants)`.
 */
export function trainable(model: Module | Graph, options: InputOptions = {}): Trainable {
  checkOptions("trainable", options, INPUT);
  return new Trainable(toTrain(model, options), undefined, options.seed);
}

/** As `fuse` does, but with the Dropout of a module. */
const toTrain = (model: Module | Graph, { inputShape }: InputOptions): Graph =>
  model instanceof Module ? traceToTrain(model, inputShape) : simplify(model, toolkit.ops);

/** A class of layers, such as Linear. */
// biome-ignore lint/suspicious/noExplicitAny: whatever it is made of
export type LayerClass = abstract new (...args: any[]) => Layer;

/**
 * Quantizes the layers of these classes: weights to int8, one scale an output, activations to 8 bits, with a range that each row
 * finds while it runs. Needs no data. Only Linear has this form, as in PyTorch; `prepareQat` takes a whole network.
 */
export async function quantizeDynamic(
  model: Module,
  classes: Readonly<Record<string, LayerClass>> = { Linear },
  dtype: "qint8" = "qint8",
  options: InputOptions & LongCallOptions = {},
): Promise<Trainable> {
  checkOptions("quantizeDynamic", options, { ...INPUT, ...LONG_CALL });
  const unknown = Object.entries(classes).filter(
    ([, kind]) => kind !== Linear && !(kind.prototype instanceof Linear),
  );
  if (unknown.length > 0 || dtype !== "qint8")
    throw new OctetteError("this dynamic quantization is not supported", {
      code: "unsupported",
      where: "quantizeDynamic",
      expected: '{ Linear }, "qint8"',
      got: `{ ${Object.keys(classes).join(", ")} }, ${JSON.stringify(dtype)}`,
      hint: "prepareQat quantizes whole networks, with ranges from calibration data",
    });
  const { signal, onProgress } = options;
  const graph = toTrain(model, options);
  const layers = layersOf(model);
  const isAsked = (path: string) => {
    const layer = layers.get(path);
    return Object.values(classes).some((kind) => layer instanceof kind);
  };
  const products = graph.nodes.filter(({ op }) => op === "Linear");
  const skip = products.flatMap(({ name, inputs: [, weight = ""] }) =>
    isAsked(weight.replace(/\.?weight$/, "")) ? [] : [name],
  );
  if (skip.length === products.length)
    throw new OctetteError("the model has no layer of these classes", {
      code: "argument",
      where: "quantizeDynamic",
      expected: Object.keys(classes).join(", "),
      got: graph.nodes.map(({ op, name }) => `${op} "${name}"`).join(", "),
    });
  const { graph: quantized, masters } = await quantize(graph, { mode: "dynamic", skip, signal, onProgress });
  return new Trainable(quantized, masters, options.seed);
}

/** Options of `prepareQat`. */
export interface PrepareQatOptions extends InputOptions, LongCallOptions {
  /** Samples that show the ranges of activations, some hundred: a DataLoader, or batches of the model's inputs by name. */
  readonly calibration: DataLoader | Batches;
  /** Bits of weight codes, 2 to 8 (default). */
  readonly bits?: number;
}

const PREPARE_QAT = { ...INPUT, calibration: 1, bits: 1, ...LONG_CALL } satisfies Names<PrepareQatOptions>;

/**
 * Quantizes a whole network, float so far, for quantization-aware training: what it computes while it is trained is what `convert`
 * gives, to the byte.
 */
export async function prepareQat(model: Module | Graph, options: PrepareQatOptions): Promise<Trainable> {
  checkOptions("prepareQat", options, PREPARE_QAT);
  const { calibration, bits = 8, signal, onProgress } = options;
  const graph = toTrain(model, options);
  const { name } = graph.inputs[0]!;
  const batches = calibration instanceof DataLoader ? feedsOf(calibration, name) : calibration;
  const { graph: quantized, masters } = await quantize(graph, {
    calibration: batches,
    bits,
    signal,
    onProgress,
  });
  return new Trainable(quantized, masters, options.seed);
}

/** The graph to deploy of what was trained: to save, load with octette/runtime, or evaluate. */
export const convert = (trained: Trainable): Graph => trained.graph();

function* feedsOf(loader: DataLoader, name: string): Generator<Feeds> {
  for (const [inputs] of loader) yield { [name]: inputs };
}
