// How good the deployed model is on samples with labels: what chooses the state that is kept.

import type { Dataset } from "../../data/index";
import { type Feed, type Feeds, maximaFor } from "../../engine/feeds";
import { fitBatch } from "../../engine/limit";
import { Model, type ModelOptions } from "../../engine/model";
import type { Engine } from "../../engine/wasm";
import { OctetteError } from "../../errors";
import type { GiveWay } from "../../event-loop";
import type { Graph } from "../../graph/graph";
import { allocate, type Tensor } from "../../graph/tensor";
import { type Training, training } from "../training";

/** Samples that evaluation takes at once; more are cut into parts, with the same result. */
const EVALUATED = 64;

/** The model to deploy, as evaluation runs it. */
export const evaluated = (
  graph: Graph,
  engine: Engine,
  maxBytes: ModelOptions["maxBytes"],
  { models }: Training = training,
): Model =>
  fitBatch(
    EVALUATED,
    (batch) => new Model(graph, models, engine, { maxBytes, maxima: maximaFor(graph.inputs, batch) }),
  );

/** How good a model is on validation samples. */
export interface Validation {
  /** Percent of samples whose label has the largest score; the first of equals counts. */
  readonly accuracy: number;
  /** Mean cross-entropy: tells apart states that are right as often. */
  readonly loss: number;
}

export const isBetter = (a: Validation, b: Validation): boolean =>
  a.accuracy > b.accuracy || (a.accuracy === b.accuracy && a.loss < b.loss);

/** Judges a model's first output by the labels of a data set, by the kernels that training has. */
export async function validate(
  model: Model,
  data: Dataset,
  engine: Engine,
  giveWay: GiveWay,
): Promise<Validation> {
  const { name, shape } = model.outputs[0]!;
  const judge = new Model(judgeOf(shape.at(-1) as number), training.ops, engine, {
    maxima: { batch: EVALUATED },
  });
  let [at, right, loss] = [0, 0, 0];
  try {
    for (const feeds of data.batches(EVALUATED)) {
      await giveWay();
      const scores = giveWay.isPaced
        ? await inParts(model, feeds, name, giveWay)
        : model.runSync(feeds)[name]!;
      const rows = scores.shape[0]!;
      const labels = data.labels!.slice(at, at + rows);
      right += rightOf(scores.data, labels);
      loss += judge.runSync({ scores, labels }).loss!.data[0]! * rows;
      at += rows;
    }
  } finally {
    judge.dispose();
  }
  return { accuracy: (100 * right) / data.count, loss: loss / data.count };
}

/** Milliseconds from which on a part of a batch is not made larger. */
const PART_MS = 2;

/** What a batch gives, run a few rows at a time: as many as are done in a part of a turn, which no result depends on. */
async function inParts(model: Model, feeds: Feeds, output: string, giveWay: GiveWay): Promise<Tensor> {
  const { batch } = model.plan;
  const fed = Object.entries(feeds) as [string, Feed][];
  const rows = fed[0]![1].shape[0]!;
  if (batch === undefined || fed.some(([, { shape }]) => shape[0] !== rows))
    return model.runSync(feeds)[output]!;
  const parts: Tensor[] = [];
  for (let from = 0, size = 1; from < rows; ) {
    await giveWay();
    const start = performance.now();
    const to = Math.min(from + size, rows);
    const part = fed.map(([name, feed]) => [name, rowsOf(feed, from, to)] as const);
    parts.push(model.runSync(Object.fromEntries(part))[output]!);
    if (performance.now() - start < PART_MS) size *= 2;
    from = to;
  }
  const { dtype, shape } = parts[0]!;
  const data = allocate(
    dtype,
    parts.reduce((sum, { data }) => sum + data.length, 0),
  );
  let at = 0;
  for (const part of parts) {
    data.set(part.data, at);
    at += part.data.length;
  }
  return { dtype, shape: [rows, ...shape.slice(1)], data };
}

function rowsOf(feed: Feed, from: number, to: number): Feed {
  const [rows = 1, ...sample] = feed.shape;
  const size = feed.data.length / rows;
  return { ...feed, shape: [to - from, ...sample], data: feed.data.subarray(from * size, to * size) };
}

/** As `validate`, for a graph. */
export async function validateGraph(
  graph: Graph,
  data: Dataset,
  engine: Engine,
  maxBytes: Parameters<typeof evaluated>[2],
  giveWay: GiveWay,
  training?: Training,
): Promise<Validation> {
  const model = evaluated(graph, engine, maxBytes, training);
  try {
    return await validate(model, data, engine, giveWay);
  } finally {
    model.dispose();
  }
}

/** Cross-entropy alone. */
const judgeOf = (classes: number): Graph => ({
  name: "judge",
  inputs: [
    { name: "scores", dtype: "f32", shape: ["batch", classes] },
    { name: "labels", dtype: "i32", shape: ["batch"] },
  ],
  outputs: ["loss"],
  nodes: [
    {
      op: "CrossEntropy",
      name: "loss",
      inputs: ["scores", "labels"],
      outputs: ["loss", "slope"],
      attributes: {},
    },
  ],
  constants: new Map(),
  provenance: {},
});

/** Throws where a label is no class of the model. */
export function checkClasses({ labels }: Dataset, classes: number): void {
  const at = labels!.findIndex((label) => label < 0 || label >= classes);
  if (at < 0) return;
  throw new OctetteError("a label is outside the classes", {
    code: "argument",
    where: `sample ${at}`,
    expected: `0 to ${classes - 1}`,
    got: `${labels![at]}`,
  });
}

/** How many rows have their label's score as the largest. */
export function rightOf(scores: ArrayLike<number>, labels: ArrayLike<number>): number {
  const classes = scores.length / labels.length;
  let right = 0;
  for (let row = 0; row < labels.length; row++) {
    let best = 0;
    for (let c = 1; c < classes; c++)
      if (scores[row * classes + c]! > scores[row * classes + best]!) best = c;
    if (best === labels[row]) right++;
  }
  return right;
}
