// A model's own check: a seeded input and the hash of what it must give, to the bit, on every engine.

import type { Input } from "../graph/graph";
import { Random } from "../graph/random";
import { createSha256 } from "../graph/sha256";
import { type Bindings, evaluateShape, symbolsOf } from "../graph/symbols";
import { allocate, bytesIn, sizeOf, type Tensor, type TypedArray } from "../graph/tensor";
import type { Model } from "./model";

/** SHA-256 of all outputs for the input that `seed` makes, every symbol 1. */
export function selfTestHash(model: Model, seed: number): string {
  const feeds = seededFeeds(model.inputs, seed);
  const outputs = model.runSync(feeds);
  const hash = createSha256();
  for (const { name } of model.outputs) {
    const { data } = outputs[name]!;
    canonicalNaN(data);
    hash.update(bytesIn(data));
  }
  return hash.digest();
}

/** Inputs that `seed` makes: uniform in [−1, 1), codes of every value; symbols that are not bound are 1. */
export function seededFeeds(
  inputs: readonly Input[],
  seed: number,
  bindings: Bindings = {},
): Record<string, Tensor> {
  const random = new Random(seed);
  const feeds: Record<string, Tensor> = {};
  for (const { name, dtype, shape } of inputs) {
    const ones = Object.fromEntries(shape.flatMap(symbolsOf).map((symbol) => [symbol, 1]));
    const actual = evaluateShape(shape, { ...ones, ...bindings });
    const data = allocate(dtype, sizeOf(actual));
    for (let i = 0; i < data.length; i++)
      data[i] =
        dtype === "f32" ? 2 * random.uniform() - 1 : random.below(dtype === "u8" || dtype === "i8" ? 256 : 2);
    feeds[name] = { dtype, shape: actual, data };
  }
  return feeds;
}

/** All NaN are one: their bits differ between engines. */
function canonicalNaN(data: TypedArray): void {
  if (!(data instanceof Float32Array)) return;
  const bits = new Uint32Array(data.buffer, data.byteOffset, data.length);
  for (const [i, value] of data.entries()) if (Number.isNaN(value)) bits[i] = 0x7fc00000;
}
