// How good a model is on data, and how far it is from another: accuracy, agreement, noise of the output, and
// whether the difference in accuracy could be chance. One pass over the data, at constant memory.

import type { Dataset } from "../data/dataset";
import type { Feeds } from "../engine/feeds";
import type { Model } from "../engine/model";
import { classNameOf, OctetteError } from "../errors";
import { givingWay } from "../event-loop";
import { formatShape } from "../graph/symbols";
import { sizeOf, type Tensor } from "../graph/tensor";
import { LONG_CALL, type LongCallOptions, until } from "../long-call";
import type { ToolkitOps } from "../ops/infer";
import { checkOptions, type Names } from "../options";
import type { ClassAccuracy, Confusion } from "./class-counts";
import type { CreateModel, LayerError } from "./layers";
import { argmax, mcnemar, NoiseMeter, PairedCounts } from "./metrics";

/** What is needed of a model; anything that runs and names its outputs will do. */
export type Runnable = Pick<Model, "run" | "outputs">;

/** A batch of feeds, and a label for each of its rows. */
export interface LabelledBatch {
  readonly feeds: Feeds;
  /** Class of each sample, or the number to find. */
  readonly labels?: ArrayLike<number>;
}

/** A data set, or batches from anywhere. */
export type EvaluationData = Dataset | Iterable<LabelledBatch> | AsyncIterable<LabelledBatch>;

/** Options of `evaluate`. */
export interface EvaluateOptions extends LongCallOptions {
  /** The model to compare with, usually the float one. Default: none. */
  readonly against?: Model | undefined;
  /** Also measures the noise of every value that both models compute. Needs `against` and a data set. Default false. */
  readonly layers?: boolean | undefined;
  /** Most memory of each of the models that measure layers, in bytes or as a size such as "64MB"; default 1 GiB. */
  readonly maxBytes?: number | string | undefined;
}

const EVALUATE = { against: 1, layers: 1, maxBytes: 1, ...LONG_CALL } satisfies Names<EvaluateOptions>;

/** What `evaluate` measured. */
export interface Evaluation {
  /** Samples. */
  readonly n: number;
  /** Per cent of samples whose largest output is that of their label, or whose one whole number is their label, where there are labels. */
  readonly top1?: number;
  /** Per cent of samples whose label is among the five largest outputs, where there are more than five classes. */
  readonly top5?: number;
  /** Each class that there are samples of. */
  readonly byClass?: readonly ClassAccuracy[];
  /** Which classes were taken for which, the most frequent ones first. */
  readonly confusions?: readonly Confusion[];
  /** Of a model with one output number, whose labels are the numbers to find: mean of squared differences, in the label's unit squared. */
  readonly meanSquaredError?: number;
  /** The same of their sizes, in the label's unit. */
  readonly meanAbsoluteError?: number;
  readonly against?: {
    readonly top1?: number;
    readonly top5?: number;
    readonly meanSquaredError?: number;
    readonly meanAbsoluteError?: number;
  };
  /** Per cent of samples for which both models choose the same class. */
  readonly agreement?: number;
  /** Signal to noise of the first output in decibels, `against` being the signal; Infinity when identical. */
  readonly sqnrDb?: number;
  /** Probability of a difference in accuracy at least this large if both models were equally good (McNemar, exact). */
  readonly mcnemarP?: number;
  /** Noise by layer, in the order of the model. */
  readonly layers?: readonly LayerError[];
}

/** How one output differs from that of another model. */
export interface OutputDifference {
  readonly name: string;
  readonly sqnrDb: number;
  /** Largest difference of two elements. */
  readonly maxDifference: number;
  /** The same, relative to the largest element of the reference. */
  readonly relative: number;
}

/** How the outputs of two models differ. */
export interface Comparison {
  readonly n: number;
  readonly agreement?: number;
  readonly outputs: readonly OutputDifference[];
}

/** Large enough to keep kernels busy, small enough for any memory. */
const BATCH = 32;

/**
 * Runs a model over data. `createModel` makes the models that measure layers; the toolkit's `evaluate` passes its own.
 */
export async function evaluate(
  model: Model,
  given: EvaluationData,
  options: EvaluateOptions,
  createModel: CreateModel,
  ops?: ToolkitOps,
): Promise<Evaluation> {
  checkOptions("evaluate", options, EVALUATE);
  const { against, layers } = options;
  // Labels are numbers of names: those of the model count.
  const data = isDataset(given) && model.classes ? given.withClasses(model.classes) : given;
  if (layers && !(against && isDataset(data)))
    throw new OctetteError("`layers` needs another model and a data set", {
      code: "argument",
      where: "evaluate",
      expected: "against and a Dataset",
      got: against ? "batches" : "no against",
    });
  const pair = await pass("evaluate", model, against, data, options);
  const { counts, labelled, classes, meters, answers, otherAnswers } = pair;
  const { n } = counts;
  const percent = (k: number) => (100 * k) / n;
  const judged = labelled && classes;
  return {
    n,
    ...(judged ? { top1: percent(counts.right) } : {}),
    ...answers.found,
    ...(judged ? { byClass: answers.classes.byClass, confusions: answers.classes.confusions } : {}),
    ...(against
      ? { against: { ...(judged ? { top1: percent(counts.otherRight) } : {}), ...otherAnswers.found } }
      : {}),
    ...(against && classes ? { agreement: percent(counts.agree) } : {}),
    ...(against ? { sqnrDb: meters[0]!.sqnrDb } : {}),
    ...(against && judged ? { mcnemarP: mcnemar(counts.onlyRight, counts.onlyOtherRight) } : {}),
    ...(layers ? { layers: await layersOf() } : {}),
  };

  async function layersOf() {
    const { layerErrors } = await import("./layers.js");
    return layerErrors(model, against!, data as Dataset, createModel, options, ops);
  }
}

/** How two models differ on the same data, output by output. `reference` is the signal; labels are not needed. */
export async function compare(
  model: Runnable,
  reference: Runnable,
  data: EvaluationData,
  options: LongCallOptions = {},
): Promise<Comparison> {
  checkOptions("compare", options, LONG_CALL);
  const { counts, classes, meters } = await pass("compare", model, reference, data, options);
  return {
    n: counts.n,
    ...(classes ? { agreement: (100 * counts.agree) / counts.n } : {}),
    outputs: meters.map(({ sqnrDb, maxDifference, maxReference }, i) => ({
      name: reference.outputs[i]!.name,
      sqnrDb,
      maxDifference,
      relative: maxDifference === 0 ? 0 : maxDifference / maxReference,
    })),
  };
}

const isDataset = (data: EvaluationData): data is Dataset => "batches" in Object(data);

/** Throws where there is nothing to go over. */
function checkData(data: unknown, where: string): void {
  const has = (key: PropertyKey) => typeof data === "object" && data !== null && key in data;
  if (["batches", Symbol.iterator, Symbol.asyncIterator].some(has)) return;
  throw new OctetteError("no data to run the model over", {
    code: "argument",
    where,
    expected: "a data set, or an iterable of { feeds, labels }",
    got: classNameOf(data),
    hint: "openDataset opens a file or a folder",
  });
}

function* labelledBatches(data: Dataset): Iterable<LabelledBatch> {
  let start = 0;
  for (const feeds of data.batches(BATCH)) {
    const size = samplesOf(feeds);
    const labels = (data.labels ?? data.targets)?.subarray(start, start + size);
    yield { feeds, ...(labels ? { labels } : {}) };
    start += size;
  }
}

const samplesOf = (feeds: Feeds) => (Object.values(feeds)[0] as Tensor).shape[0]!;

/** One walk over the data with one or two models. */
async function pass(
  stage: string,
  model: Runnable,
  other: Runnable | undefined,
  data: EvaluationData,
  { onProgress, signal }: LongCallOptions,
) {
  if (other) checkOutputs(model, other);
  const counts = new PairedCounts();
  const meters = other ? other.outputs.map(() => new NoiseMeter()) : [];
  checkData(data, stage);
  const total = isDataset(data) ? data.count : undefined;
  const giveWay = givingWay(signal);
  // Loaded apart: a page that compares models has no labels.
  const { Answers } = await import("./class-counts.js");
  const [answers, otherAnswers] = [new Answers(), new Answers()];
  let labelled = true;
  let classes = true;
  const batches = isDataset(data) ? labelledBatches(data) : data;
  for await (const { feeds, labels } of until(batches, signal)) {
    await giveWay();
    const results = await model.run(feeds);
    const otherResults = await other?.run(feeds);
    const main = results[model.outputs[0]!.name]!;
    const otherMain = otherResults?.[other!.outputs[0]!.name];
    const n = main.shape[0] ?? 1;
    const width = n === 0 ? 0 : sizeOf(main.shape) / n;
    // One whole number is the class itself, as ArgMax at a model's end gives it.
    const isClass = width === 1 && main.dtype === "i32";
    const scores = isClass ? 0 : width;
    if (!labels) labelled = false;
    else checkLabels(labels, n, isClass ? Infinity : width);
    if (width < 2 && !isClass) classes = false;
    const chosenIn = ({ data }: Tensor, i: number) => (isClass ? data[i]! : argmax(data, i * width, width));
    for (let i = 0; i < n; i++) {
      const chosen = chosenIn(main, i);
      const other = otherMain && chosenIn(otherMain, i);
      counts.add(chosen, labels?.[i], other);
      if (!labels) continue;
      answers.add(main.data, i * scores, scores, chosen, labels[i]!);
      if (otherMain) otherAnswers.add(otherMain.data, i * scores, scores, other!, labels[i]!);
    }
    other?.outputs.forEach(({ name }, o) => {
      meters[o]!.add(otherResults![name]!.data, results[model.outputs[o]!.name]!.data);
    });
    await onProgress?.({ stage, done: counts.n, total });
  }
  // Of nothing at all, two models would be told to be identical.
  if (counts.n === 0)
    throw new OctetteError("there is nothing to measure", {
      code: "argument",
      where: stage,
      expected: "samples",
      got: "none",
    });
  return { counts, labelled, classes, meters, answers, otherAnswers };
}

/** Throws where labels are not those of `classes` classes, or, of one, numbers to find. */
export function checkLabels(labels: ArrayLike<number>, n: number, classes: number): void {
  if (labels.length !== n)
    throw new OctetteError("labels do not fit the samples", {
      code: "argument",
      where: "evaluate",
      expected: `${n} labels in this batch`,
      got: `${labels.length}`,
    });
  const fits = (label: number) =>
    classes > 1 ? Number.isInteger(label) && label >= 0 && label < classes : Number.isFinite(label);
  for (let i = 0; i < n; i++)
    if (!fits(labels[i]!))
      throw new OctetteError(
        classes > 1 ? "a label is outside the classes" : "a label is not a number to find",
        {
          code: "argument",
          where: "evaluate",
          expected:
            classes <= 1
              ? "a finite number"
              : classes === Infinity
                ? "a whole number from 0"
                : `0 … ${classes - 1}`,
          got: `${labels[i]}`,
        },
      );
}

function checkOutputs(model: Runnable, other: Runnable): void {
  const shapes = ({ outputs }: Runnable) =>
    outputs.map(({ shape }) => formatShape(shape.map((d) => (typeof d === "string" ? "n" : d)))).join(", ");
  if (shapes(model) !== shapes(other))
    throw new OctetteError("the models cannot be compared: their outputs differ", {
      code: "argument",
      where: "against",
      expected: shapes(model),
      got: shapes(other),
    });
}
