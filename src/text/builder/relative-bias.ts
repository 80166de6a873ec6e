// Relative positions as T5 and MPNet have them (Raffel et al. 2020, arXiv:1910.10683, 2.1): each head adds a number to a score by the
// bucket of the distance between two tokens.

import { addDims, multiplyDims, subtractDims } from "../../graph/symbols";
import { portableLog } from "../../portable-math";
import type { EncoderSettings } from "./encoder-settings";
import { MAX_DISTANCES, type Settings } from "./settings";
import type { Rows } from "./weights";
import type { LanguageGraphWriter } from "./writer";

/** Into what distances are put. */
export interface Buckets {
  readonly count: number;
  /** Distance from which all share a bucket. */
  readonly most: number;
}

/** Reads the settings. Throws OctetteError "unsupported" where they differ from those that a family has for all its files. */
export function bucketsOf(settings: Settings, isFixed: boolean): Buckets {
  const number = (name: string, otherwise: number, least: number): number => {
    const count = settings.count(name, otherwise, least, MAX_DISTANCES);
    if (!isFixed || count === otherwise) return count;
    throw settings.wrong(name, `${otherwise}`, count);
  };
  const count = number("relative_attention_num_buckets", 32, 4);
  return { count, most: number("relative_attention_max_distance", 128, Math.floor(count / 4) + 1) };
}

/** The bucket of a distance from a token to another `ahead` tokens later in the text. Each direction has half of the buckets. */
function bucketOf(ahead: number, { count, most }: Buckets): number {
  const half = Math.floor(count / 2);
  const exact = Math.floor(half / 2);
  const distance = Math.abs(ahead);
  const first = ahead > 0 ? half : 0;
  if (distance < exact) return first + distance;
  // In f32, as those who trained with it: the edges of buckets depend on it.
  const growth = Math.fround(
    Math.fround(portableLog(distance / exact)) / Math.fround(portableLog(most / exact)),
  );
  const far = exact + Math.trunc(Math.fround(growth * (half - exact)));
  return first + Math.min(far, half - 1);
}

/**
 * What is added to scores, a value [1, heads, tokens, tokens], from a table [buckets, heads]. Rows of all distances
 * are picked when the table is read. A run repeats those of −tokens to tokens, 2·tokens + 1 of them. Read in rows of 2·tokens, row i is
 * shifted by i, so that its second half is that of distances −i, −i + 1 …
 */
export function relativeBias(
  writer: LanguageGraphWriter,
  { heads, positions }: EncoderSettings,
  buckets: Buckets,
  prefix: string,
): string {
  const name = `${prefix}encoder.relative_attention_bias.weight`;
  const output = "relative";
  const rows: Rows = Array.from({ length: 2 * positions + 1 }, (_, i) => {
    const bucket = bucketOf(i - positions, buckets);
    return [bucket, bucket + 1] as const;
  });
  const table = writer.weights.add(`${name}.byDistance`, {
    tensors: [name],
    from: [buckets.count, heads],
    shape: [2 * positions + 1, heads],
    rows,
  });
  const first = subtractDims(positions, "tokens");
  const near = writer.slice(table, 0, first, addDims(positions + 1, "tokens"), `${output}.near`);
  const turned = writer.node("Transpose", [near], `${output}.turned`, { perm: [1, 0] });
  const twice = multiplyDims("tokens", 2);
  const length = addDims(twice, 1);
  const each = writer.reshape(turned, [heads, 1, length], `${output}.each`);
  const repeated = writer.node("Expand", [each], `${output}.repeated`, { shape: [heads, "tokens", length] });
  const flat = writer.reshape(repeated, [heads, multiplyDims(length, "tokens")], `${output}.flat`);
  const cut = writer.slice(flat, 1, 0, multiplyDims(twice, "tokens"), `${output}.cut`);
  const shifted = writer.reshape(cut, [heads, "tokens", twice], `${output}.shifted`);
  const square = writer.slice(shifted, 2, "tokens", twice, `${output}.square`);
  return writer.reshape(square, [1, heads, "tokens", "tokens"], output);
}
