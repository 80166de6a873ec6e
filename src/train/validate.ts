// How good the deployed model is on samples with labels: what chooses the state that is kept.

import type { Dataset } from "../data/index";
import type { Model } from "../engine/model";
import { OctetteError } from "../errors";
import type { Breath } from "./breathe";

/** Samples that run at once. */
const BATCH = 64;

/** Percent of samples whose label has the largest of the model's first output; the first of equals counts. */
export async function accuracyOf(model: Model, data: Dataset, breathe: Breath): Promise<number> {
  const { name } = model.outputs[0]!;
  const labels = data.labels!;
  let at = 0;
  let right = 0;
  for (const feeds of data.batches(BATCH)) {
    await breathe();
    const { data: scores, shape } = model.runSync(feeds)[name]!;
    const rows = shape[0]!;
    right += rightOf(scores, labels.subarray(at, at + rows));
    at += rows;
  }
  return (100 * right) / data.count;
}

/** Throws where a label is no class of the model. */
export function checkLabels({ labels }: Dataset, classes: number): void {
  const at = labels!.findIndex((label) => label < 0 || label >= classes);
  if (at < 0) return;
  throw new OctetteError("a label is no class of the model", {
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
