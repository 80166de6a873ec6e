// Runs the float model over the calibration samples, once, and shows the values of interest to their observers. Memory
// does not grow with the number of samples; the event loop gets its turn between the runs.

import { checkNamed, type Feed, type Feeds } from "../engine/feeds";
import { fitBatch } from "../engine/limit";
import type { ModelOptions } from "../engine/model";
import { OctetteError } from "../errors";
import { givingWay } from "../event-loop";
import type { Graph, Input, Preprocessing } from "../graph/graph";
import { sizeOf } from "../graph/tensor";
import { type LongCallOptions, until } from "../long-call";
import type { Applied } from "../passes/cover-numbers";
import { ChannelMeans, Observer, type TappedValue } from "./observer";

const { max } = Math;

/** Calibration data: feeds of any batch size, labels not needed. */
export type Batches = Iterable<Feeds> | AsyncIterable<Feeds>;

/** What calibration needs of a model. */
export interface Observable {
  runSync(feeds: Feeds): unknown;
  /** A value of the last run. */
  tapped(name: string): TappedValue;
  dispose(): void;
}

/** Makes a model of a graph that keeps `taps`, for at most `maxima` of every symbol. */
export type MakeObservable = (
  graph: Graph,
  options: Pick<ModelOptions, "maxBytes"> & {
    readonly maxima: Readonly<Record<string, number>>;
    readonly taps: readonly string[];
  },
) => Observable;

/** What to watch. */
export interface Wanted {
  /** Values whose histogram is kept. */
  readonly histograms: ReadonlySet<string>;
  /** Values and the axis along which means are kept. */
  readonly means: readonly { readonly value: string; readonly axis: number }[];
}

export interface Observations {
  readonly samples: number;
  readonly observers: ReadonlyMap<string, Observer>;
  /** By what data that are not bytes alone had been normalized. */
  readonly applied: Applied;
  /** Means along an axis of a value; undefined when it was not asked for. */
  means(value: string, axis: number): Float64Array | undefined;
}

/** Samples run at once, unless rows meet; fewer where memory does not allow so many. Activations of all tapped values are held together, so this bounds memory. */
export const CALIBRATION_BATCH = 16;
/** With fewer samples than this, ranges are a guess. */
export const FEW_SAMPLES = 32;

export type CalibrateOptions = Pick<ModelOptions, "maxBytes"> & LongCallOptions;

const meansKey = (value: string, axis: number) => `${axis}:${value}`;

/** `batch` is the symbol that counts independent rows, undefined where they meet. */
export async function calibrate(
  graph: Graph,
  batches: Batches,
  wanted: Wanted,
  batch: string | undefined,
  makeObservable: MakeObservable,
  { onProgress, signal, maxBytes }: CalibrateOptions = {},
): Promise<Observations> {
  const observers = new Map([...wanted.histograms].map((value) => [value, new Observer()] as const));
  const means = new Map(
    wanted.means.map(({ value, axis }) => [meansKey(value, axis), new ChannelMeans(axis)] as const),
  );
  const taps = [...new Set([...wanted.histograms, ...wanted.means.map(({ value }) => value)])];
  const giveWay = givingWay(signal);
  let maxima: Readonly<Record<string, number>> = {};
  const applied: Record<string, Preprocessing> = Object.create(null);
  let model: Observable | undefined;
  let rows = CALIBRATION_BATCH;
  let samples = 0;
  /** Makes a model for a part, where the one there is does not take it. */
  const modelFor = (part: Part): Observable => {
    const needed = Object.entries(maximaOf(graph.inputs, part, rows));
    if (model && needed.every(([symbol, most]) => most <= maxima[symbol]!)) return model;
    model?.dispose();
    maxima = Object.fromEntries(
      needed.map(([symbol, most]) => [symbol, max(model ? maxima[symbol]! : 1, most)] as const),
    );
    return makeObservable(graph, { maxima, taps, maxBytes });
  };
  try {
    for await (const feeds of until(batches, signal)) {
      checkNamed(feeds, graph.inputs);
      model ??= fitBatch(CALIBRATION_BATCH, (most) => {
        rows = most;
        const [first] = partsOf(graph, feeds, batch, rows);
        return first && modelFor(first);
      });
      for (const part of partsOf(graph, feeds, batch, rows)) {
        await giveWay();
        model = modelFor(part);
        model.runSync(part.feeds);
        for (const [name, fed] of Object.entries(part.feeds))
          if ("normalized" in fed && typeof fed.normalized === "object" && fed.normalized.of)
            applied[name] = fed.normalized;
        for (const [value, observer] of observers) observer.observe(model.tapped(value));
        for (const { value, axis } of wanted.means)
          means.get(meansKey(value, axis))!.observe(model.tapped(value));
        samples += part.samples;
        await onProgress?.({ stage: "calibrate", done: samples });
      }
    }
  } finally {
    model?.dispose();
  }
  signal?.throwIfAborted();
  if (samples === 0)
    throw new OctetteError("there are no samples", {
      code: "argument",
      where: "calibration",
      hint: 'Pass some hundred inputs, or use mode "dynamic", which needs none',
    });
  return { samples, observers, applied, means: (value, axis) => means.get(meansKey(value, axis))?.means() };
}

interface Part {
  readonly feeds: Feeds;
  /** Rows of the first input. */
  readonly samples: number;
}

/**
 * Feeds cut along the first dimension into runs of at most `most` rows, or of the size that the model fixes; whole where
 * rows meet.
 */
function* partsOf(graph: Graph, feeds: Feeds, batch: string | undefined, most: number): Generator<Part> {
  const fed = graph.inputs.map((input) => rowsOf(input, feeds[input.name]));
  const rows = fed[0]?.rows;
  const fixed = graph.inputs[0]!.shape[0];
  const cuttable =
    rows !== undefined &&
    (typeof fixed === "number" || fixed === batch) &&
    fed.every((f, i) => f.rows === rows && sameBatch(graph.inputs[0]!, graph.inputs[i]!));
  if (!cuttable) {
    yield { feeds, samples: rows ?? 1 };
    return;
  }
  const step = typeof fixed === "number" ? max(fixed, 1) : most;
  if (typeof fixed === "number" && rows % step !== 0) yield { feeds, samples: rows };
  else
    for (let from = 0; from < rows; from += step) {
      const to = Math.min(from + step, rows);
      const part = graph.inputs.map(({ name }, i) => [name, fed[i]!.slice(from, to)] as const);
      yield { feeds: Object.fromEntries(part), samples: to - from };
    }
}

const sameBatch = (a: Input, b: Input) => a.shape[0] === b.shape[0];

/** The rows of one feed, and how to take some of them. Without a first dimension, or not known: no rows. */
function rowsOf(
  { shape }: Input,
  fed: Feeds[string] | undefined,
): { rows: number | undefined; slice: (from: number, to: number) => Feeds[string] } {
  const whole = { rows: undefined, slice: () => fed! };
  if (fed === undefined || shape.length === 0) return whole;
  if (!ArrayBuffer.isView(fed)) {
    const { data } = fed;
    const rest = sizeOf(fed.shape.slice(1));
    const slice = (from: number, to: number): Feed => ({
      ...fed,
      shape: [to - from, ...fed.shape.slice(1)],
      data: data.subarray(from * rest, to * rest),
    });
    return { rows: fed.shape[0], slice };
  }
  const rest = shape.slice(1).reduce<number>((n, dim) => (typeof dim === "number" ? n * dim : Number.NaN), 1);
  if (!(rest > 0) || fed.length % rest !== 0) return whole;
  return { rows: fed.length / rest, slice: (from, to) => fed.subarray(from * rest, to * rest) };
}

/** Maxima for a run: the batch that feeds are cut to, or the fed batch when it is larger, and the fed size of every other symbol. */
function maximaOf(inputs: readonly Input[], { feeds, samples }: Part, rows: number): Record<string, number> {
  const maxima: Record<string, number> = Object.create(null);
  for (const { name, shape } of inputs)
    shape.forEach((dim, axis) => {
      if (typeof dim !== "string") return;
      const fed = feeds[name];
      const known = fed !== undefined && !ArrayBuffer.isView(fed) ? fed.shape[axis]! : 1;
      maxima[dim] = max(maxima[dim] ?? 1, known, axis === 0 ? max(samples, rows) : 1);
    });
  return maxima;
}
