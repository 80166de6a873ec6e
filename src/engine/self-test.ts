// A model's own check: a seeded input and the hash of what it must give, to the bit, on every engine.

import { OctetteError } from "../errors";
import type { Input } from "../graph/graph";
import { Random } from "../graph/random";
import { createSha256 } from "../graph/sha256";
import { type Bindings, type Dim, evaluateDim, evaluateShape, symbolsOf } from "../graph/symbols";
import { allocate, bytesIn, sizeOf, type Tensor, type TypedArray } from "../graph/tensor";
import { inferTypes, type Registry } from "../ops/infer";
import type { Model } from "./model";
import type { Need } from "./plan";

/** Sizes of symbols, as numbers or as those of other symbols. */
type Sizes = Readonly<Record<string, Dim>>;

/** Multiply-adds that a self-test may take: half a minute of a slow device. Other work counts as some of them. */
export const MAX_SELF_TEST_MACS = 2 ** 36;
/** Multiply-adds that take as long as to make an element, or to look at one in a window of a pooling. */
const MACS_PER_ELEMENT = 16;

/** Largest size that is tried where steps need more than 1. */
const MAX_LEAST = 2 ** 11;

/** Throws where a self-test would take too long: a small file can ask for more than any device does. */
export function checkSelfTest(model: Model, registry: Registry): void {
  const { graph, plan } = model;
  const types = inferTypes(graph, registry);
  const symbols = [...types.values()].flatMap(({ shape }) => shape.flatMap(symbolsOf));
  const ones = smallest(symbols, neededBy(model));
  const sizes = (value: string) => evaluateShape(types.get(value)?.shape ?? [0], ones);
  let work = plan.steps.reduce((n, { macs }) => n + evaluateDim(macs, ones), 0);
  for (const { op, inputs, outputs, attributes } of graph.nodes) {
    const window = /Pool$/.test(op) ? windowIn(sizes(inputs[0]!), attributes.kernel_shape) : 1;
    for (const output of outputs)
      if (output !== "") work += MACS_PER_ELEMENT * window * sizeOf(sizes(output));
  }
  if (work <= MAX_SELF_TEST_MACS) return;
  throw new OctetteError("the model's self-test would take too long", {
    code: "limit",
    where: graph.name,
    expected: `at most MAX_SELF_TEST_MACS = ${MAX_SELF_TEST_MACS} multiply-adds, an element made or compared counting as ${MACS_PER_ELEMENT}`,
    got: `${work}`,
    hint: "save(graph, { selfTest: false }) leaves it out: verify() then has nothing to compare",
  });
}

/** Elements that one window has in an image [n, c, …]: all of it where no window is given. */
const windowIn = ([, , ...image]: readonly number[], kernel: unknown): number =>
  sizeOf(
    image.map((size, i) => Math.min(size, Number((kernel as readonly number[] | undefined)?.[i] ?? size))),
  );

/** SHA-256 of all outputs for the input that `seed` makes, every symbol 1, or the smallest power of two that the model takes. */
export function selfTestHash(model: Model, seed: number): string {
  const feeds = seededFeeds(model.inputs, seed, neededBy(model));
  const outputs = model.runSync(feeds);
  const hash = createSha256();
  for (const { name } of model.outputs) {
    const { data } = outputs[name]!;
    canonicalNaN(data);
    hash.update(bytesIn(data));
  }
  return hash.digest();
}

/** Sizes of the model, and where 1 of the other symbols leaves steps without elements, the smallest power of two that does not. */
export function neededBy({ inputs, plan, sizes }: Model): Sizes {
  const symbols = inputs.flatMap(({ shape }) => shape.flatMap(symbolsOf));
  const certain = certainIn(plan.needs);
  for (let least = 1; least <= MAX_LEAST; least *= 2) {
    const all: Sizes = {
      ...Object.fromEntries(symbols.map((symbol) => [symbol, least])),
      ...certain,
      ...sizes,
    };
    const values = smallest([], all);
    const sizeIn = (dim: Dim) => (isKnown(dim, values) ? evaluateDim(dim, values) : Number.NaN);
    const isMet = ({ dim, otherwise, kind }: Need) => {
      const [a, b] = [sizeIn(dim), sizeIn(otherwise)];
      if (kind === "size") return !(a < 0);
      return kind === "equal" ? !(Math.abs(a - b) > 0) : !(a <= 0 && b <= 0);
    };
    if (plan.needs.every(isMet)) return least === 1 ? { ...certain, ...sizes } : all;
  }
  return sizes;
}

/** Sizes that have to be one number, as a batch whose rows a Reshape counts. */
function certainIn(needs: readonly Need[]): Sizes {
  const pairs = needs.flatMap(({ dim, otherwise, kind }) => {
    const [symbol, ...others] = new Set([dim, otherwise].flatMap(symbolsOf));
    if (kind !== "equal" || symbol === undefined || others.length > 0) return [];
    const apart = (n: number) => evaluateDim(dim, { [symbol]: n }) - evaluateDim(otherwise, { [symbol]: n });
    const size = 1 - apart(1) / (apart(2) - apart(1));
    return Number.isInteger(size) && size > 0 && apart(size) === 0 ? [[symbol, size] as const] : [];
  });
  return Object.fromEntries(pairs);
}

const isKnown = (dim: Dim, values: Bindings) => symbolsOf(dim).every((symbol) => symbol in values);

/** Values of symbols: 1 but for sizes that are given, after those which they are told by. */
function smallest(symbols: readonly string[], sizes: Sizes): Bindings {
  const all = [...symbols, ...Object.values(sizes).flatMap(symbolsOf)];
  const values = Object.fromEntries(all.map((symbol) => [symbol, 1]));
  for (const symbol in sizes) values[symbol] = evaluateDim(sizes[symbol]!, values);
  return values;
}

/** Inputs that `seed` makes: uniform in [−1, 1), codes of every value; sizes that are not given are 1. */
export function seededFeeds(
  inputs: readonly Input[],
  seed: number,
  sizes: Sizes = {},
): Record<string, Tensor> {
  const random = new Random(seed);
  const feeds = inputs.map(({ name, dtype, shape }): [string, Tensor] => {
    const actual = evaluateShape(shape, smallest(shape.flatMap(symbolsOf), sizes));
    const data = allocate(dtype, sizeOf(actual));
    for (let i = 0; i < data.length; i++)
      data[i] =
        dtype === "f32" ? 2 * random.uniform() - 1 : random.below(dtype === "u8" || dtype === "i8" ? 256 : 2);
    return [name, { dtype, shape: actual, data }];
  });
  return Object.fromEntries(feeds);
}

/** All NaN are one: their bits differ between engines. */
function canonicalNaN(data: TypedArray): void {
  if (!(data instanceof Float32Array)) return;
  const bits = new Uint32Array(data.buffer, data.byteOffset, data.length);
  for (const [i, value] of data.entries()) if (Number.isNaN(value)) bits[i] = 0x7fc00000;
}
