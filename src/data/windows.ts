// Windows over time: samples that are several rows of a series. No window goes across a break, such as from one recording to the next.

import { OctetteError } from "../errors";
import type { Input } from "../graph/graph";
import { allocate, type Tensor, type TypedArray } from "../graph/tensor";
import type { SampleRows } from "./sample-rows";

/** Samples that are several rows over time. */
export interface WindowOptions {
  /** Rows of a sample, over time. Default: a sample is one row. */
  readonly window?: number | undefined;
  /** Rows from one window to the next; default as many as a window has. */
  readonly stride?: number | undefined;
  /** The label of a window: that which most of its rows have (`majority`, default; of equals the smaller number), or the `last` row's. */
  readonly windowLabel?: "majority" | "last" | undefined;
}

/** Most windows of a data set. */
const MAX_WINDOWS = 2 ** 24;

/** How many windows there are in `rows` rows without a break. */
export function windowCount(rows: number, window: number, stride: number, where: string): number {
  for (const [name, value] of [
    ["window", window],
    ["stride", stride],
  ] as const)
    if (!Number.isSafeInteger(value) || value < 1)
      throw new OctetteError(`${name} does not fit`, {
        code: "argument",
        where,
        expected: "a whole number from 1",
        got: `${value}`,
      });
  const count = rows < window ? 0 : Math.floor((rows - window) / stride) + 1;
  checkWindows(count, where);
  return count;
}

/** Throws where there are more windows than a data set holds. */
export function checkWindows(count: number, where: string): void {
  if (count <= MAX_WINDOWS) return;
  throw new OctetteError("too many windows", {
    code: "limit",
    where,
    expected: `at most MAX_WINDOWS = ${MAX_WINDOWS}`,
    got: `${count}`,
    hint: "Say a larger stride (--stride)",
  });
}

/** First rows of the windows in a series of `rows` rows. */
export function windowStarts(
  rows: number,
  breaks: readonly number[],
  window: number,
  stride: number,
  where: string,
): Int32Array {
  windowCount(rows, window, stride, where);
  const starts: number[] = [];
  let begin = 0;
  for (const end of [...breaks, rows]) {
    for (let start = begin; start + window <= end; start += stride) starts.push(start);
    begin = end;
  }
  if (starts.length > 0) return Int32Array.from(starts);
  throw new OctetteError("no window fits", {
    code: "argument",
    where,
    expected: `${window} rows or more without a break`,
    got: `${rows} rows${breaks.length > 0 ? ` in ${breaks.length + 1} parts` : ""}`,
  });
}

/** Labels of windows, of the labels of rows. */
export function windowLabels(
  { dtype, data }: Tensor,
  starts: Int32Array,
  window: number,
  how: WindowOptions["windowLabel"],
  where: string,
): Tensor {
  if (dtype === "f32" && how !== "last")
    throw new OctetteError("labels that are not all whole have no majority", {
      code: "argument",
      where,
      expected: "the label of a window to be that of its last row",
      hint: "Say so with windowLabel: last (--window-label last)",
    });
  const own = allocate(dtype, starts.length);
  own.set(Array.from(starts, labelOf));
  return { dtype, shape: [starts.length], data: own };

  function labelOf(start: number): number {
    if (how === "last") return data[start + window - 1]!;
    const counts = new Map<number, number>();
    for (const label of data.subarray(start, start + window)) counts.set(label, (counts.get(label) ?? 0) + 1);
    return [...counts].reduce((best, next) =>
      next[1] > best[1] || (next[1] === best[1] && next[0] < best[0]) ? next : best,
    )[0];
  }
}

/**
 * Windows over rows of `columns` numbers, as an input takes them: [window, columns] as they lie, or [columns, window] where only that
 * fits the input.
 */
export function cutWindows(
  data: TypedArray,
  columns: number,
  starts: Int32Array,
  window: number,
  input: Input,
): SampleRows {
  const isTurned = !fitsSample(input, [window, columns]) && fitsSample(input, [columns, window]);
  const size = window * columns;
  const sample = isTurned ? [columns, window] : [window, columns];
  return {
    dtype: "f32",
    shape: [starts.length, ...likeInput(input, sample)],
    copy(rows, out) {
      for (let i = 0; i < rows.length; i++) {
        const from = starts[rows[i]!]! * columns;
        if (!isTurned) out.set(data.subarray(from, from + size), i * size);
        else
          for (let t = 0, at = from; t < window; t++)
            for (let c = 0; c < columns; c++) out[i * size + c * window + t] = data[at++]!;
      }
    },
  };
}

/** A shape with dimensions of 1 where the input has them. */
export function likeInput({ shape }: Input, sample: readonly number[]): readonly number[] {
  const rest = [...sample];
  const like = shape.slice(1).map((dim) => (dim === 1 ? 1 : (rest.shift() ?? 1)));
  return rest.length === 0 ? like : sample;
}

/** Whether a shape is that of one sample, dimensions of 1 aside. */
export function fitsSample({ shape }: Input, sample: readonly number[]): boolean {
  const own = shape.slice(1).filter((dim) => dim !== 1);
  const its = sample.filter((dim) => dim !== 1);
  return own.length === its.length && own.every((dim, i) => typeof dim === "string" || dim === its[i]);
}
