// Tiny random models of many families, as folders of Hugging Face with what transformers computes with them (OCTETTE_DATA, lm/tiny).

import { existsSync, readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { expect } from "vitest";
import type { LanguageGraph } from "../../src/formats/language-source";
import { readNpz } from "../../src/formats/npz";
import type { Graph } from "../../src/graph/graph";
import type { Tensor } from "../../src/graph/tensor";
import { dataFolder } from "../formats/fixtures";

const folder = join(dataFolder ?? "", "lm/tiny");

/** Their names; none where there are no data. An adapter is not among them. */
export const tinyNames: readonly string[] =
  dataFolder !== undefined && existsSync(folder)
    ? readdirSync(folder).filter((name) => existsSync(join(folder, name, "golden.npz")))
    : [];

export const tinyPath = (name: string): string => join(folder, name);

/** What transformers computes with a folder's model, by name. */
export const goldenOf = (name: string): Map<string, Tensor> =>
  readNpz(new Uint8Array(readFileSync(join(folder, name, "golden.npz"))));

/** Folders that have a golden array of this name. */
export const tinyWith = (array: string): readonly string[] =>
  tinyNames.filter((name) => goldenOf(name).has(array));

/** A language graph with all its elements. */
export async function wholeGraph({ graph, read }: LanguageGraph): Promise<Graph> {
  const constants = new Map<string, Tensor>();
  for (const name of graph.constants.keys()) constants.set(name, await read(name));
  return { ...graph, constants };
}

/** The largest difference of two lists of the same length. */
export function farthest(got: ArrayLike<number>, want: ArrayLike<number>): number {
  expect(got.length).toBe(want.length);
  let most = 0;
  for (let i = 0; i < got.length; i++) {
    const difference = Math.abs(got[i]! - want[i]!);
    if (!(difference <= most)) most = difference;
  }
  return most;
}
