// What people read from a classifier's scores: probabilities, and the best classes with their names.

import { classNameOf, OctetteError } from "../errors";
import { isTensor, type Tensor } from "../graph/tensor";
import { portableExp } from "../portable-math";

/** A class that `topK` found. */
export interface Ranked {
  /** Place among the scores of its row. */
  readonly index: number;
  /** Name of the class; without names, the index as text. */
  readonly name: string;
  readonly score: number;
}

/** Rows along the last dimension. */
function* rowsOf(scores: Tensor, where: string) {
  const width = isTensor(scores) ? (scores.shape.at(-1) ?? 0) : 0;
  if (width === 0)
    throw new OctetteError("has no scores", {
      code: "argument",
      where,
      expected: "an output of a model, [batch, classes]",
      got: isTensor(scores) ? `[${scores.shape}]` : classNameOf(scores),
    });
  for (let at = 0; at < scores.data.length; at += width)
    yield Array.from(scores.data.subarray(at, at + width), Number);
}

/**
 * Probabilities of scores (logits), f32 of the same shape: e^x over the sum of its row, a row being the last dimension. Sums are of f64, in
 * order; every engine gives the same bytes.
 */
export function softmax(scores: Tensor): Tensor {
  const rows = [...rowsOf(scores, "softmax")];
  const data = new Float32Array(scores.data.length);
  let at = 0;
  for (const row of rows) {
    const most = row.reduce((a, b) => Math.max(a, b), -Infinity);
    const powers = Float64Array.from(row, (score) => (score === most ? 1 : portableExp(score - most)));
    const sum = powers.reduce((a, b) => a + b, 0);
    for (const power of powers) data[at++] = power / sum;
  }
  return { dtype: "f32", shape: [...scores.shape], data };
}

/**
 * The `k` classes (default 5) of the largest scores, largest first, for each row of [batch, classes]; of equals the first comes first,
 * and NaN last. `classes` names them: `const [best] = topK(softmax(logits), 3, model.classes)`.
 * @throws OctetteError "argument" where there are not as many names as scores in a row.
 */
export function topK(scores: Tensor, k = 5, classes?: readonly string[]): Ranked[][] {
  const fail = (what: string, expected: string, got: unknown) =>
    new OctetteError(what, { code: "argument", where: "topK", expected, got: `${got}` });
  if (!Number.isInteger(k) || k < 1) throw fail("invalid k", "a whole number from 1", k);
  return Array.from(rowsOf(scores, "topK"), (row) => {
    if (classes && classes.length !== row.length)
      throw fail("names do not fit the scores", `${row.length} names`, classes.length);
    const ranked = row.map((score, index) => ({ index, name: classes?.[index] ?? `${index}`, score }));
    const keyOf = ({ score }: Ranked) => (Number.isNaN(score) ? -Infinity : score);
    const order = (a: Ranked, b: Ranked) => {
      const [x, y] = [keyOf(a), keyOf(b)];
      return x === y
        ? Number(Number.isNaN(a.score)) - Number(Number.isNaN(b.score)) || a.index - b.index
        : y - x;
    };
    return ranked.sort(order).slice(0, k);
  });
}
