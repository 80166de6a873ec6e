// What models answer, sample by sample, and what their answers have in common: any number of models, each run once.

import type { Dataset } from "../data/dataset";
import { givingWay } from "../event-loop";
import { sizeOf } from "../graph/tensor";
import type { LongCallOptions } from "../long-call";
import { checkLabels, type Runnable } from "./evaluate";
import { argmax, mcnemar, PairedCounts } from "./metrics";

/** Large enough to keep kernels busy, small enough for any memory. */
const BATCH = 32;

/** The class that a model chooses for each sample: where its first output is largest. */
export async function answersOf(
  model: Runnable,
  data: Dataset,
  { onProgress, signal }: LongCallOptions = {},
): Promise<Int32Array> {
  const answers = new Int32Array(data.count);
  const giveWay = givingWay(signal);
  let done = 0;
  for (const feeds of data.batches(BATCH)) {
    await giveWay();
    const { data: scores, shape } = (await model.run(feeds))[model.outputs[0]!.name]!;
    const classes = sizeOf(shape.slice(1));
    if (done === 0 && data.labels) checkLabels(data.labels, data.count, classes);
    for (let row = 0; row < shape[0]!; row++) answers[done++] = argmax(scores, row * classes, classes);
    await onProgress?.({ stage: "evaluate", done, total: data.count });
  }
  return answers;
}

/** Per cent of answers that are the same. */
export function agreementOf(answers: Int32Array, others: Int32Array): number {
  return (100 * answers.filter((answer, i) => answer === others[i]).length) / answers.length;
}

export interface PairedTest {
  /** Samples that only the one model got right, and those that only the other did. */
  readonly onlyRight: number;
  readonly onlyOtherRight: number;
  /** Probability of a difference at least this large if both were equally good (McNemar, exact, two-sided). */
  readonly p: number;
}

/** Whether one model is better than another on the same samples, or could be by chance. */
export function pairedTest(answers: Int32Array, others: Int32Array, labels: Int32Array): PairedTest {
  const counts = new PairedCounts();
  for (const [i, answer] of answers.entries()) counts.add(answer, labels[i], others[i]);
  const { onlyRight, onlyOtherRight } = counts;
  return { onlyRight, onlyOtherRight, p: mcnemar(onlyRight, onlyOtherRight) };
}
