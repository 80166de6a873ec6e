// Samples of a data file fitted to one input of a model: the shape it must have, the numbers it becomes, and the
// conversion of any rows of it. Nothing is converted before it is asked for, so u8 images stay u8 in memory.

import { type Feed, preprocess } from "../engine/feeds";
import { OctetteError } from "../errors";
import type { Input, Preprocessing } from "../graph/graph";
import { formatShape } from "../graph/symbols";
import { allocate, type DType, sizeOf, type Tensor, type TypedArray } from "../graph/tensor";
import type { PackedColumn } from "./packed";
import type { SampleRows } from "./sample-rows";

export interface Column {
  readonly input: string;
  readonly dtype: DType;
  /** Shape of one sample as the model takes it. */
  readonly sample: readonly number[];
  readonly count: number;
  /** Samples a batch must have, where the model fixes it. */
  readonly fixedBatch?: number;
  /** What makes the array's numbers the model's own: of bytes alone, when bytes they are. */
  readonly preprocessing?: Preprocessing;
  /** What its numbers are of that were normalized before. */
  readonly normalized?: Feed["normalized"];
  /** Writes the samples at `rows` to `out`, one after the other. */
  read(rows: ArrayLike<number>, out: TypedArray): void;
  /** Copies of the samples at `rows`, as they were given. */
  pack(rows: ArrayLike<number>): PackedColumn;
}

export interface ColumnOptions {
  /** Asked for by the caller: applied to any numbers. */
  readonly normalize?: Preprocessing | undefined;
  /** File and array, for errors. */
  readonly where: string;
  /** The array holds whole numbers 0 … 255 as text did, which has no types: they count as bytes. */
  readonly bytesAsNumbers?: boolean | undefined;
}

type Read = (rows: ArrayLike<number>, out: TypedArray) => void;

const withoutOnes = (shape: readonly (number | string)[]) => shape.filter((d) => d !== 1);

const sameShape = (a: readonly (number | string)[], b: readonly (number | string)[]) =>
  a.length === b.length && a.every((d, i) => d === b[i] || typeof b[i] === "string");

/** Shape of one sample, as the input has it and with its symbols replaced by what the data has. */
function sampleShape(data: readonly number[], input: Input, layout: string, where: string): number[] {
  const want = input.shape.slice(1);
  const have = data.slice(1);
  const fail = (hint?: string) =>
    new OctetteError(`does not fit the model's input "${input.name}"`, {
      code: "argument",
      where,
      expected: formatShape(["samples", ...want]),
      got: formatShape(data),
      ...(hint ? { hint } : {}),
    });
  if (data.length === 0 || input.shape.length === 0) throw fail("The first dimension must count samples");
  const channelsLast = (shape: readonly number[]) => [shape.at(-1)!, ...shape.slice(0, -1)];
  const fixed = want.every((d) => typeof d === "number");
  const flat = (shape: readonly (number | string)[]) => withoutOnes(shape).length <= 1;
  const fits = (shape: readonly number[]) =>
    sameShape(shape, want) ||
    (fixed &&
      (sameShape(withoutOnes(shape), withoutOnes(want)) ||
        ((flat(shape) || flat(want)) && sizeOf(shape) === sizeOf(want as number[]))));
  if (layout === "nhwc") {
    if (have.length < 2 || !fits(channelsLast(have)))
      throw fail("With nhwc the last dimension of the data counts channels");
    return fixed ? (want as number[]) : channelsLast(have);
  }
  if (fits(have)) return fixed ? (want as number[]) : have;
  const looksLast = have.length > 2 && fits(channelsLast(have));
  throw fail(looksLast ? 'The images have their channels last: add ",nhwc" to normalize' : undefined);
}

/** Throws where the numbers cannot be used. */
function checkPreprocessing(p: Preprocessing, where: string): void {
  const numbers = [p.scale, ...p.mean, ...p.std];
  if (numbers.some((v) => !Number.isFinite(v)) || p.std.includes(0))
    throw new OctetteError("preprocessing holds a number that cannot be used", {
      code: "argument",
      where,
      expected: "finite numbers and no std of 0",
      got: `scale ${p.scale}, mean ${p.mean.join(":")}, std ${p.std.join(":")}`,
    });
}

/** The samples at `rows` as the model takes them: by the function that `model.run` uses. */
function normalizedRows(
  { dtype, copy }: SampleRows,
  sample: number[],
  p: Preprocessing,
  where: string,
): Read {
  const size = sizeOf(sample);
  const normalized = (rows: ArrayLike<number>) => {
    const numbers = allocate(dtype, rows.length * size);
    copy(rows, numbers);
    return preprocess([rows.length, ...sample], numbers, p, where).data;
  };
  // Throws before samples are read where means and stds do not fit the channels.
  normalized([]);
  return (rows, out) => out.set(normalized(rows));
}

/** Conversions between dtypes that lose nothing and mean the same number. */
const losslessTo: Readonly<Record<DType, readonly DType[]>> = {
  f32: ["f32", "bool"],
  i32: ["i32", "u8", "i8", "bool"],
  u8: ["u8", "bool"],
  i8: ["i8"],
  bool: ["bool"],
};

/** Samples of data as those of `input`. Throws where shape or dtype do not fit. */
export function fitColumn(data: SampleRows, input: Input, options: ColumnOptions): Column {
  const { where } = options;
  const bytes = data.dtype === "u8" || options.bytesAsNumbers === true;
  const isFloat = input.dtype === "f32";
  const carried = bytes || input.preprocessing?.of ? input.preprocessing : undefined;
  const preprocessing = isFloat ? (options.normalize ?? carried) : undefined;
  const sample = sampleShape(data.shape, input, preprocessing?.layout ?? "nchw", where);

  let read: Read;
  if (preprocessing) {
    checkPreprocessing(preprocessing, where);
    const image = preprocessing.layout === "nhwc" ? [...sample.slice(1), sample[0]!] : sample;
    read = normalizedRows(data, image, preprocessing, where);
  } else if (losslessTo[input.dtype].includes(data.dtype)) read = data.copy;
  else
    throw new OctetteError(`has the wrong type for the model's input "${input.name}"`, {
      code: "argument",
      where,
      expected: input.dtype,
      got: data.dtype,
      ...(input.dtype === "f32"
        ? {
            hint: "The option normalize (--normalize), such as 1/255,0,1, says how they become the model's; 1,0,1 keeps them",
          }
        : {}),
    });

  const fixedBatch = input.shape[0];
  return {
    input: input.name,
    dtype: input.dtype,
    sample,
    count: data.shape[0]!,
    ...(typeof fixedBatch === "number" ? { fixedBatch } : {}),
    ...(preprocessing
      ? { preprocessing: bytes ? preprocessing : { ...preprocessing, of: "numbers" as const } }
      : {}),
    read,
    pack(rows) {
      const size = sizeOf(data.shape.slice(1));
      const copy = allocate(data.dtype, rows.length * size);
      data.copy(rows, copy);
      const own: Tensor = { dtype: data.dtype, shape: [rows.length, ...data.shape.slice(1)], data: copy };
      const { normalize, bytesAsNumbers } = options;
      return { data: own, input, where, normalize, bytesAsNumbers };
    },
  };
}

/** The samples at `rows` of a column, as a tensor [rows, …sample]. */
export function readColumn(
  { dtype, sample, preprocessing, normalized = preprocessing, read }: Column,
  rows: ArrayLike<number>,
): Feed {
  const shape = [rows.length, ...sample];
  const data = allocate(dtype, sizeOf(shape));
  read(rows, data);
  return { dtype, shape, data, ...(normalized ? { normalized } : {}) };
}
