// What a caller passes to run(): checked against the model's inputs, turned into the bytes the plan wants, and cut
// into batches no larger than the plan's maximum.

import { classNameOf, OctetteError } from "../errors";
import type { Input, Preprocessing } from "../graph/graph";
import { type Bindings, formatShape, symbolsOf } from "../graph/symbols";
import {
  allocate,
  arrayName,
  bytesPerElement,
  type DType,
  sizeOf,
  type Tensor,
  type TypedArray,
} from "../graph/tensor";
import type { Look } from "./feed-range";

/** What an input is fed with. */
export interface Feed extends Tensor {
  /**
   * The numbers are the model's own already: its preprocessing does not apply. Batches of a data set say by what they were
   * normalized.
   */
  readonly normalized?: boolean | Preprocessing;
}

/** Model inputs by name. The shape of a bare array follows from the input's own, where one symbol is open. */
export type Feeds = Readonly<Record<string, Feed | TypedArray | BigInt64Array>>;

/** Arrays that take outputs, by name, instead of new ones: of the output's element type, and as long as it is in this run. */
export type Into = Readonly<Record<string, TypedArray>>;

/** Throws where an array is to be written to that no output has, or that holds outputs which are still to be read. */
export function checkInto(
  outputs: readonly { readonly name: string }[],
  into: Into,
  lent: WeakSet<TypedArray>,
): void {
  checkNamed(into, outputs);
  for (const [name, array] of Object.entries(into))
    if (lent.has(array))
      throw new OctetteError("the array is in use by a run that was not awaited", {
        code: "argument",
        where: `output "${name}"`,
        hint: "Await that run first, or give each its own",
      });
  checkKnown("output", into, outputs);
}

/** Throws where a name is none of the model's. */
function checkKnown(what: string, given: object, known: readonly { readonly name: string }[]): void {
  const unknown = Object.keys(given).find((name) => known.every((own) => own.name !== name));
  if (unknown !== undefined)
    throw new OctetteError(`the model has no ${what} "${unknown}"`, {
      code: "argument",
      where: "run",
      expected: known.map(({ name }) => `"${name}"`).join(", "),
    });
}

/** Throws where what should be arrays by name is something else. */
export function checkNamed(value: unknown, names: readonly { readonly name: string }[]): void {
  if (typeof value === "object" && value !== null && !isElements(value)) return;
  throw new OctetteError("feeds must be arrays by name", {
    code: "argument",
    where: "run",
    expected: `{ ${names.map(({ name }) => name).join(", ")} }`,
    got: isElements(value) ? kindOf(value) : `${value}`,
  });
}

/** Where `length` elements of an output go: to the caller's array, or a new one. */
export function arrayFor(name: string, dtype: DType, length: number, into: Into): TypedArray {
  const given = Object.hasOwn(into, name) ? into[name] : undefined;
  if (given === undefined) return allocate(dtype, length);
  const wanted = arrayName(dtype);
  if (isElements(given) && kindOf(given) === wanted && given.length === length) return given;
  throw new OctetteError("the array does not fit", {
    code: "argument",
    where: `output "${name}"`,
    expected: `${wanted} of ${length}`,
    got: isElements(given) ? `${kindOf(given)} of ${(given as TypedArray).length}` : typeof given,
  });
}

/** Every input as a tensor of the model's dtype and rank; `look` sees what was fed as floats. */
export function checkFeeds(inputs: readonly Input[], feeds: Feeds, look?: Look): Map<string, Tensor> {
  checkNamed(feeds, inputs);
  checkKnown("input", feeds, inputs);
  return new Map(
    inputs.map((input) => {
      const fed = Object.hasOwn(feeds, input.name) ? feeds[input.name] : undefined;
      return [input.name, checkFeed(input, fed, look)] as const;
    }),
  );
}

type Elements = TypedArray | BigInt64Array;

function checkFeed(input: Input, fed: Feeds[string] | undefined, look: Look | undefined): Tensor {
  if (fed === undefined) throw misfit(input, "is missing");
  const isTensor = !isElements(fed);
  const given = isTensor ? fed?.data : fed;
  if (!isElements(given) || (isTensor && !Array.isArray(fed.shape)))
    throw misfit(input, "is neither a tensor nor a typed array", {
      expected: `${expectedOf(input)}: { dtype, shape, data } or the elements in a typed array`,
      got: classNameOf(fed),
    });
  if (isDetached(given)) throw misfit(input, "its buffer was transferred to another thread or array");
  if (isTensor && !isOf(fed.dtype, kindOf(given)))
    throw misfit(input, "its elements are not of its dtype", {
      expected: `${fed.dtype}`,
      got: kindOf(given),
    });
  const isOwn = isTensor && fed.normalized;
  const preprocessing = isOwn ? undefined : preprocessingOf(input, kindOf(given));
  const shape = preprocessing ? imageShape(input.shape, preprocessing) : input.shape;
  const actual = isTensor ? fed.shape : shapeOfLength(shape, given.length);
  const fits =
    actual?.length === shape.length &&
    actual.every((dim) => Number.isSafeInteger(dim) && dim >= 0) &&
    sizeOf(actual) === given.length &&
    shape.every((dim, i) => typeof dim === "string" || dim === actual[i]);
  if (!fits) {
    const got = isTensor ? `${fed.dtype} ${formatShape(fed.shape)}` : `${given.length} elements`;
    throw misfit(input, "shape does not fit", {
      ...(preprocessing ? { expected: `${preprocessing.of ?? "u8"} ${formatShape(shape)}` } : {}),
      got: isTensor && sizeOf(fed.shape) !== given.length ? `${got} with ${given.length} elements` : got,
    });
  }
  const checked = preprocessing
    ? preprocess(actual, given as TypedArray, preprocessing, `input "${input.name}"`)
    : { dtype: input.dtype, shape: actual, data: convert(input, given) };
  if (kindOf(given) === "Float32Array") look?.(input, checked);
  return checked;
}

function isDetached({ length, buffer }: Elements): boolean {
  if (length > 0) return false;
  try {
    return !new Uint8Array(buffer);
  } catch {
    return true;
  }
}

/** Whether a tensor of this type may have its elements in an array of this kind: of its own, or for i32 of any integers. */
const isOf = (dtype: DType, kind: string): boolean =>
  Object.hasOwn(bytesPerElement, dtype) &&
  (kind === arrayName(dtype) ||
    (dtype === "i32" && /int/i.test(kind)) ||
    (dtype === "u8" && kind === "Uint8ClampedArray"));

/** How elements of this kind become the input's numbers, where they are not the model's own. */
function preprocessingOf({ dtype, preprocessing }: Input, kind: string): Preprocessing | undefined {
  const normalized = preprocessing?.of ? /^(Float32|U?int\d+(Clamped)?)Array$/i : /^Uint8(Clamped)?Array$/;
  return dtype === "f32" && normalized.test(kind) ? preprocessing : undefined;
}

const expectedOf = ({ dtype, shape }: Input) => `${dtype} ${formatShape(shape)}`;

const misfit = (input: Input, what: string, facts: { expected?: string; got?: string; hint?: string } = {}) =>
  new OctetteError(what, {
    code: "argument",
    where: `input "${input.name}"`,
    expected: expectedOf(input),
    ...facts,
  });

/** Any typed array, that of another realm or a Buffer too. */
const isElements = (value: unknown): value is Elements =>
  ArrayBuffer.isView(value) && typeof (value as Partial<Elements>).length === "number";

/** The name of its type, such as "Uint8Array", for a Buffer too. */
const kindOf = (elements: Elements): string => elements[Symbol.toStringTag];

/** The elements in the model's dtype. Only lossless changes are made: integers that fit to i32. */
function convert(input: Input, given: Elements): TypedArray {
  if (kindOf(given) === arrayName(input.dtype)) return given as TypedArray;
  if (input.dtype === "i32" && /Int\d+(Clamped)?Array$/i.test(kindOf(given))) {
    const numbers = given as ArrayLike<number | bigint> as ArrayLike<number>;
    const narrowed = Int32Array.from(numbers, Number);
    if (narrowed.every((value, i) => value === Number(numbers[i]))) return narrowed;
    throw misfit(input, "a value does not fit into 32 bits");
  }
  throw misfit(input, "element type does not fit", {
    got: kindOf(given),
    hint: "Convert it; bytes are taken where the model carries its preprocessing",
  });
}

/** The one shape of this many elements, where at most one dimension is a symbol. */
function shapeOfLength(shape: Input["shape"], length: number): number[] | undefined {
  const rest = sizeOf(shape.filter((dim): dim is number => typeof dim === "number"));
  const open = shape.filter((dim) => typeof dim === "string");
  if (open.length > 1 || (open.length === 1 && (rest === 0 || length % rest !== 0))) return undefined;
  return shape.map((dim) => (typeof dim === "number" ? dim : length / rest));
}

function imageShape(shape: Input["shape"], { layout }: Preprocessing): Input["shape"] {
  return layout === "nchw" || shape.length < 3 ? shape : [shape[0]!, ...shape.slice(2), shape[1]!];
}

/**
 * `(number · scale − mean[c]) / std[c]`, each step rounded to f32; from [n, spatial…, c] to [n, c, spatial…] where the layout is
 * nhwc. A row [n, c] has channels where there are several means or stds. Many bytes it looks up in 256 values a channel.
 */
export function preprocess(
  shape: readonly number[],
  numbers: TypedArray,
  { layout, scale, mean, std }: Preprocessing,
  where: string,
): Tensor {
  const last = shape.length - 1;
  const channelAxis = layout === "nhwc" ? last : 1;
  const hasChannels = shape.length > 2 || mean.length > 1 || std.length > 1;
  const channels = hasChannels ? (shape[channelAxis] ?? 1) : 1;
  for (const { length } of [mean, std])
    if (length !== 1 && length !== channels)
      throw new OctetteError("its preprocessing does not fit its channels", {
        code: "argument",
        where,
        expected: `one mean and std, or ${channels}`,
        got: `${mean.length} and ${std.length}`,
      });
  const moves = layout === "nhwc" && shape.length > 2;
  const spatial = sizeOf(shape.slice(1)) / Math.max(channels, 1);
  const [size, step] = [channels * spatial, moves ? channels : 1];
  const isTabled = kindOf(numbers).startsWith("Uint8") && numbers.length > 256 * channels;
  const table = new Float32Array(256);
  const data = new Float32Array(numbers.length);
  for (let c = 0; c < channels; c++) {
    const [m, s] = [Math.fround(mean[c % mean.length]!), Math.fround(std[c % std.length]!)];
    const normalized = (number: number) => Math.fround(Math.fround(Math.fround(number * scale) - m) / s);
    for (let byte = 0; isTabled && byte < 256; byte++) table[byte] = normalized(byte);
    for (let first = 0; first < data.length; first += size) {
      let from = first + (moves ? c : c * spatial);
      const to = first + c * spatial;
      if (isTabled)
        for (let at = to; at < to + spatial; at++, from += step) data[at] = table[numbers[from]!]!;
      else for (let at = to; at < to + spatial; at++, from += step) data[at] = normalized(numbers[from]!);
    }
  }
  return { dtype: "f32", shape: moves ? [shape[0]!, shape[last]!, ...shape.slice(1, last)] : shape, data };
}

/** Throws where a dimension of an input is neither a number nor one symbol, whose value a run could find. */
export function checkSymbols(inputs: readonly Input[]): void {
  for (const { name, shape } of inputs)
    for (const dim of shape)
      if (typeof dim === "string" && symbolsOf(dim)[0] !== dim)
        throw new OctetteError("an input dimension must be a number or one symbol", {
          code: "graph",
          where: `input "${name}"`,
          got: dim,
        });
}

/** Maxima that leave every open dimension of these inputs the same room. */
export const maximaFor = (inputs: readonly Input[], most: number): Record<string, number> =>
  Object.fromEntries(
    inputs.flatMap(({ shape }) => shape.filter((dim) => typeof dim === "string").map((dim) => [dim, most])),
  );

/** Value of every symbol that the caller gives or the fed shapes determine. Throws where two inputs disagree. */
export function bindSymbols(
  inputs: readonly Input[],
  fed: ReadonlyMap<string, Tensor>,
  symbols: Bindings = {},
): Record<string, number> {
  const bindings: Record<string, number> = Object.assign(Object.create(null), symbols);
  for (const [symbol, value] of Object.entries(symbols))
    if (!Number.isSafeInteger(value) || value < 0)
      throw new OctetteError("invalid value", {
        code: "argument",
        where: `symbol "${symbol}"`,
        expected: "a whole number of 0 or more",
        got: `${value}`,
      });
  for (const { name, shape } of inputs)
    shape.forEach((dim, axis) => {
      if (typeof dim !== "string") return;
      const value = fed.get(name)!.shape[axis]!;
      if ((bindings[dim] ??= value) !== value)
        throw new OctetteError(`two inputs disagree on "${dim}"`, {
          code: "argument",
          where: `input "${name}"`,
          expected: `${bindings[dim]}`,
          got: `${value}`,
        });
    });
  return bindings;
}
