// Codes of 4 bits that a source has already, as GGUF files do: they are kept as they are. Float scales of groups become whole numbers of
// a row's unit where there are no offsets, which moves weights by a quarter of a per cent; with offsets they stay as they came.

import { SMALLEST_SCALE } from "../../../assembly/int8/sizes";
import type { BlockCodes, LanguageGraph } from "../../formats/language-source";
import { rne } from "../../ops/codes";
import { GROUP, type GroupCodes, type RowCodes } from "./layer-weights";
import type { KeptCodes } from "./recipe";
import type { TokenMatrices } from "./vocabulary";

const LIMIT = 127;

/** w = groups[n, k / GROUP] · codes[n, k] − offsets[n, k / GROUP]. */
export interface BlockOfCodes extends RowCodes {
  readonly groups: Float32Array;
  readonly offsets: Float32Array;
}

/** Which matrices of a model have codes that can be kept. Table and head have 8 bits in any case. */
export async function keptIn(
  { graph, readCodes }: LanguageGraph,
  { table, head }: TokenMatrices,
): Promise<Map<string, KeptCodes>> {
  const others = [table?.name, head?.name];
  const kept = new Map<string, KeptCodes>();
  for (const [name, { shape }] of graph.constants) {
    const codes = shape.length === 2 && !others.includes(name) ? await readCodes(name) : undefined;
    if (codes?.bits === 4 && codes.size === GROUP) kept.set(name, codes.offsets ? "blocks" : "whole");
  }
  return kept;
}

/** Codes of a source as a graph has them. */
export function keptCodes({ shape: [n], codes, scales, offsets }: BlockCodes): GroupCodes | BlockOfCodes {
  if (offsets) return { codes, scales: new Float32Array(0), groups: scales, offsets };
  const across = scales.length / n;
  const units = new Float32Array(n);
  const groups = Int8Array.from(scales, (scale, i) => {
    const row = Math.floor(i / across);
    if (i % across === 0) units[row] = unitOf(scales.subarray(i, i + across));
    return rne(Math.fround(scale / units[row]!));
  });
  return { codes, scales: units, groups };
}

/** What the whole scales of a row are multiples of; 1 where they are zeros. */
function unitOf(scales: Float32Array): number {
  const unit = Math.fround(scales.reduce((most, scale) => Math.max(most, Math.abs(scale)), 0) / LIMIT);
  return unit < SMALLEST_SCALE ? 1 : unit;
}
