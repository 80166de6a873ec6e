// One array of a data file fitted to one input of a model: the shape it must have, the numbers it becomes, and the
// conversion of any rows of it. Nothing is converted before it is asked for, so u8 images stay u8 in memory.

import { preprocess } from "../engine/feeds";
import { OctetteError } from "../errors";
import type { Input, Preprocessing } from "../graph/graph";
import { formatShape } from "../graph/symbols";
import { allocate, type DType, sizeOf, type Tensor, type TypedArray } from "../graph/tensor";

export interface Column {
  readonly input: string;
  readonly dtype: DType;
  /** Shape of one sample as the model takes it. */
  readonly sample: readonly number[];
  readonly count: number;
  /** Samples a batch must have, where the model fixes it. */
  readonly fixedBatch?: number;
  /** What turned bytes into numbers, when bytes they were. */
  readonly preprocessing?: Preprocessing;
  /** Writes the samples at `rows` to `out`, one after the other. */
  read(rows: ArrayLike<number>, out: TypedArray): void;
}

export interface ColumnOptions {
  /** Asked for by the caller: applied to any numbers. */
  readonly normalize?: Preprocessing;
  /** File and array, for errors. */
  readonly where: string;
  /** The array holds whole numbers 0 … 255 as text did, which has no types: preprocessing that the model carries applies. */
  readonly bytesAsNumbers?: boolean;
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

const { fround } = Math;

/** Throws where the numbers cannot describe an input of this many channels. */
function checkPreprocessing(p: Preprocessing, channels: number, where: string): void {
  const fits = (list: readonly number[]) => list.length === 1 || list.length === channels;
  if (!fits(p.mean) || !fits(p.std))
    throw new OctetteError("mean and std do not fit the channels of the input", {
      code: "argument",
      where,
      expected: `1 or ${channels} of each`,
      got: `${p.mean.length} means and ${p.std.length} stds`,
    });
  const numbers = [p.scale, ...p.mean, ...p.std];
  if (numbers.some((v) => !Number.isFinite(v)) || p.std.includes(0))
    throw new OctetteError("preprocessing holds a number that cannot be used", {
      code: "argument",
      where,
      expected: "finite numbers and no std of 0",
      got: `scale ${p.scale}, mean ${p.mean.join(":")}, std ${p.std.join(":")}`,
    });
}

/** The samples at `rows`, one after the other. */
function copyRows(data: TypedArray, size: number): Read {
  return (rows, out) => {
    for (let i = 0; i < rows.length; i++)
      out.set(data.subarray(rows[i]! * size, (rows[i]! + 1) * size), i * size);
  };
}

/** Images of bytes as the model takes them, by the same tables that `model.run` uses. */
function imageRows(data: TypedArray, image: readonly number[], p: Preprocessing): Read {
  const size = sizeOf(image);
  const gather = copyRows(data, size);
  return (rows, out) => {
    const bytes = new Uint8Array(rows.length * size);
    gather(rows, bytes);
    out.set(preprocess({ dtype: "u8", shape: [rows.length, ...image], data: bytes }, p).data);
  };
}

/** The same for numbers that are no bytes. */
function normalizeRows(data: TypedArray, p: Preprocessing, channels: number, inner: number): Read {
  const size = channels * inner;
  const [channelStep, innerStep] = p.layout === "nchw" ? [inner, 1] : [1, channels];
  return (rows, out) => {
    for (let i = 0; i < rows.length; i++)
      for (let c = 0; c < channels; c++) {
        const mean = fround(p.mean[c % p.mean.length]!);
        const std = fround(p.std[c % p.std.length]!);
        const from = rows[i]! * size + c * channelStep;
        const to = i * size + c * inner;
        for (let j = 0; j < inner; j++)
          out[to + j] = fround(fround(fround(data[from + j * innerStep]! * p.scale) - mean) / std);
      }
  };
}

/** Conversions between dtypes that lose nothing and mean the same number. */
const losslessTo: Readonly<Record<DType, readonly DType[]>> = {
  f32: ["f32", "bool"],
  i32: ["i32", "u8", "i8", "bool"],
  u8: ["u8", "bool"],
  i8: ["i8"],
  bool: ["bool"],
};

/** An array of a data file as samples for `input`. Throws where shape or dtype do not fit. */
export function fitColumn(data: Tensor, input: Input, options: ColumnOptions): Column {
  const { where } = options;
  const bytes = data.dtype === "u8" || options.bytesAsNumbers === true;
  const asked = input.dtype === "f32" ? options.normalize : undefined;
  const preprocessing = asked ?? (bytes && input.dtype === "f32" ? input.preprocessing : undefined);
  const sample = sampleShape(data.shape, input, preprocessing?.layout ?? "nchw", where);
  const channels = sample.length > 1 ? sample[0]! : 1;
  const size = sizeOf(sample);

  let read: Read;
  if (preprocessing) {
    checkPreprocessing(preprocessing, channels, where);
    const image = preprocessing.layout === "nhwc" ? [...sample.slice(1), channels] : sample;
    read =
      data.dtype === "u8"
        ? imageRows(data.data, image, preprocessing)
        : normalizeRows(data.data, preprocessing, channels, channels === 0 ? 0 : size / channels);
  } else if (losslessTo[input.dtype].includes(data.dtype)) read = copyRows(data.data, size);
  else
    throw new OctetteError(`has the wrong type for the model's input "${input.name}"`, {
      code: "argument",
      where,
      expected: input.dtype,
      got: data.dtype,
      ...(input.dtype === "f32"
        ? {
            hint: "Say how whole numbers become the model's with normalize (scale,mean,std), such as 1/255,0,1; 1,0,1 keeps them as they are",
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
    ...(preprocessing && bytes ? { preprocessing } : {}),
    read,
  };
}

/** The samples at `rows` of a column, as a tensor [rows, …sample]. */
export function readColumn(column: Column, rows: ArrayLike<number>): Tensor {
  const shape = [rows.length, ...column.sample];
  const data = allocate(column.dtype, sizeOf(shape));
  column.read(rows, data);
  return { dtype: column.dtype, shape, data };
}
