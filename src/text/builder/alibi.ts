// ALiBi (Press et al. 2022, arXiv:2108.12409): a head adds a slope times the position of a key to its score. A softmax leaves nothing
// of it but the distance to the query.

import { portableExp } from "../../portable-math";
import type { DecoderFamily } from "./decoder-family";
import { MAX_TABLE, type Settings } from "./settings";
import type { LanguageGraphWriter } from "./writer";

/** What is added to scores of keys. */
export interface Alibi {
  /** One a head. */
  readonly slopes: readonly number[];
  /** Falcon's numbers are bf16, and are scaled as scores are. */
  readonly isCoarse: boolean;
}

/**
 * 2^(−8 · k / n), k from 1 to n, for a power of two n of heads. For other numbers of heads every second one of the next larger n, and then
 * those between them.
 */
function slopesOf(heads: number): number[] {
  const n = 2 ** (32 - Math.clz32(heads - 1));
  const all = Array.from({ length: n }, (_, i) => portableExp((-8 * Math.LN2 * (i + 1)) / n));
  if (n === heads) return all;
  return [...all.filter((_, i) => i % 2 === 1), ...all.filter((_, i) => i % 2 === 0)].slice(0, heads);
}

/**
 * What settings and family say of ALiBi; undefined: it is not used. Throws OctetteError "unsupported" where a table of so many positions,
 * which the settings `names` give, would be too large.
 */
export function alibiOf(
  settings: Settings,
  family: DecoderFamily,
  heads: number,
  positions: number,
  names: readonly string[],
): Alibi | undefined {
  if (!family.positions?.startsWith("alibi")) return undefined;
  const isAlways = family.positions === "alibi";
  if (!settings.flag("alibi", isAlways)) {
    if (isAlways) throw settings.wrong("alibi", "true", false);
    return undefined;
  }
  // Files that could rotate say how.
  settings.ignore("rope_theta", "rope_scaling", "rope_parameters");
  const limit = Math.floor(MAX_TABLE / heads);
  if (positions > limit) throw settings.wrong(names, `at most ${limit}`, positions);
  return { slopes: slopesOf(heads), isCoarse: !isAlways };
}

/** The constant `alibi` [heads, positions], as many positions as caches may have room for. */
export function alibiTable(
  { weights }: LanguageGraphWriter,
  { slopes, isCoarse }: Alibi,
  positions: number,
  headDim: number,
): void {
  // A multiple of the tile of attention.
  const columns = Math.ceil(positions / 32) * 32;
  const scale = Math.fround(1 / Math.sqrt(headDim));
  const at = (slope: number, j: number) =>
    isCoarse ? bf16(bf16(slope) * bf16(j)) * scale : Math.fround(slope) * j;
  const table = new Float32Array(slopes.length * columns);
  for (let i = 0; i < table.length; i++) table[i] = at(slopes[Math.floor(i / columns)]!, i % columns);
  weights.make("alibi", [slopes.length, columns], table);
}

/** The nearest number that bf16 has, ties to even. */
function bf16(x: number): number {
  const word = new Uint32Array(Float32Array.of(x).buffer);
  word[0] = (word[0]! + 0x7fff + ((word[0]! >>> 16) & 1)) & 0xffff0000;
  return new Float32Array(word.buffer)[0]!;
}
