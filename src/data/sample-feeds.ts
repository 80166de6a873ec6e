// One or more samples as they are pushed: checked against a model's inputs and the samples before.

import { classNameOf, OctetteError } from "../errors";
import type { Input, Preprocessing } from "../graph/graph";
import { arrayName, bytesIn, isTensor, sizeOf, type Tensor, type TypedArray, tensor } from "../graph/tensor";
import { createDataset } from "./dataset";

/** Arrays of one or more samples by input: tensors [samples, …], or the bare elements of whole samples. */
export type SampleFeeds = Readonly<Record<string, Tensor | TypedArray | Uint8ClampedArray>>;

/** One or more samples with their labels: whole numbers, or names of classes. */
export interface LabelledSamples {
  readonly feeds: SampleFeeds;
  readonly label: number | string | ArrayLike<number | string>;
}

/** Labels as numbers of classes. Throws an OctetteError for an unknown class. */
export function labelNumbers(
  label: LabelledSamples["label"],
  classes: readonly string[] | undefined,
): number[] {
  const given = typeof label === "number" || typeof label === "string" ? [label] : Array.from(label ?? []);
  if (given.length === 0) throw wrong("label", "there is none", "one for each sample", typeof label);
  return given.map((one) => {
    const index = typeof one === "string" ? (classes?.indexOf(one) ?? -1) : one;
    const most = classes?.length ?? 2 ** 31;
    if (Number.isInteger(index) && index >= 0 && index < most) return index;
    const expected = classes ? `one of ${classes.join(", ")}, or 0 to ${most - 1}` : "a whole number from 0";
    throw wrong("label", "unknown class", expected, JSON.stringify(one) ?? typeof one);
  });
}

/** The arrays as tensors of so many samples, like those before. */
export function fittedSamples(
  feeds: SampleFeeds,
  labels: readonly number[],
  inputs: readonly Input[],
  options: { readonly normalize?: Preprocessing | undefined },
  before: ReadonlyMap<string, Tensor> | undefined,
): Map<string, Tensor> {
  const count = labels.length;
  const unknown = Object.keys(Object(feeds)).find((name) => inputs.every((input) => input.name !== name));
  if (unknown !== undefined)
    throw wrong(
      `input "${unknown}"`,
      "the model has no such input",
      inputs.map(({ name }) => `"${name}"`).join(", "),
      "it",
    );
  const arrays = new Map(
    inputs.map((input) => [input.name, tensorOf(Object(feeds)[input.name], input, count, options)] as const),
  );
  for (const [name, { dtype, shape, data }] of arrays) {
    // No tuning takes NaN: one sample would keep all others from being learned.
    if (data.some(Number.isNaN)) throw wrong(`input "${name}"`, "does not fit", "numbers", "NaN");
    const own = before?.get(name);
    if (!own || (own.dtype === dtype && `${own.shape.slice(1)}` === `${shape.slice(1)}`)) continue;
    const typeOf = (type: string, sizes: readonly number[]) => `${type} [${sizes.slice(1).join(", ")}]`;
    const [expected, got] = [typeOf(own.dtype, own.shape), typeOf(dtype, shape)];
    throw wrong(`input "${name}"`, "is not like the samples before", expected, got);
  }
  const names = tensor("i32", [count], labels);
  // Throws what does not fit the model.
  createDataset(arrays, inputs, {
    labels: names,
    normalize: options.normalize,
    where: "samples",
  });
  return arrays;
}

const dtypes = ["f32", "u8", "i8", "i32"] as const;

/** What was given for an input, as a tensor of so many samples. */
function tensorOf(
  given: unknown,
  { name, shape, preprocessing }: Input,
  count: number,
  { normalize = preprocessing }: { readonly normalize?: Preprocessing | undefined },
): Tensor {
  const fail = (what: string, expected: string, got: string) => wrong(`input "${name}"`, what, expected, got);
  if (!ArrayBuffer.isView(given)) {
    if (isTensor(given)) return given;
    throw fail(
      "is neither a tensor nor a typed array",
      "{ dtype, shape, data } or elements",
      classNameOf(given),
    );
  }
  const elements = given as TypedArray;
  const kind = elements[Symbol.toStringTag] as string;
  const dtype = kind === "Uint8ClampedArray" ? "u8" : dtypes.find((one) => arrayName(one) === kind);
  const sample = shape.slice(1);
  if (!dtype || sample.some((dim) => typeof dim !== "number"))
    throw fail("needs a tensor", "{ dtype, shape, data }", kind);
  if (sizeOf(sample as number[]) * count !== elements.length)
    throw fail(
      "wrong number of samples",
      `${count} of [${sample.join(", ")}]`,
      `${elements.length} elements`,
    );
  const isLast = normalize?.layout === "nhwc" && sample.length > 1;
  const own = (isLast ? [...sample.slice(1), sample[0]!] : sample) as number[];
  const data = dtype === "u8" ? bytesIn(elements) : elements;
  return { dtype, shape: [count, ...own], data };
}

const wrong = (where: string, what: string, expected: string, got: string) =>
  new OctetteError(what, { code: "argument", where, expected, got });
