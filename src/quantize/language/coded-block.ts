// Elements of a block's constants: floats as the source has them, then with norms folded, then codes with their scales.

import type { Graph } from "../../graph/graph";
import type { Constant, Tensor } from "../../graph/tensor";
import type { LanguageGraph } from "../../text/source";
import type { Block } from "./blocks";
import { columnFactorsOf, type Fold, folded } from "./folds";
import type { BlockOfCodes } from "./kept-codes";
import { type GroupCodes, quantizeRows, type RowCodes } from "./layer-weights";
import type { Tensors } from "./parts";
import type { CodedWeight } from "./recipe";
import type { Workspace } from "./workspace";

/** Which norms are folded, and how far. */
export interface FoldChoice {
  /** α of SmoothQuant in sixteenths; 0: no norm is folded. */
  readonly sixteenths: number;
  /** max|x| of each column of a norm's output, by its name. */
  readonly largest: ReadonlyMap<string, Float32Array>;
}

export const NO_FOLD: FoldChoice = { sixteenths: 0, largest: new Map() };

/** The constants of a block as floats. */
export async function readBlock({ graph }: Block, read: LanguageGraph["read"]): Promise<Map<string, Tensor>> {
  const constants = new Map<string, Tensor>();
  for (const [name, constant] of graph.constants)
    constants.set(name, constant.data ? (constant as Tensor) : await read(name));
  return constants;
}

/** The constants of a block with its norms folded. */
export function foldBlock(
  { graph }: Block,
  folds: readonly Fold[],
  { sixteenths, largest }: FoldChoice,
  constants: Tensors,
): Tensors {
  if (sixteenths === 0) return constants;
  return folds
    .filter(({ vectors }) => graph.constants.has(vectors[0]!))
    .reduce((done, fold) => {
      const most = largest.get(fold.value);
      return most ? folded(fold, columnFactorsOf(fold, most, sixteenths, done), done) : done;
    }, constants);
}

/** Gives the codes of a weight, f32 [n, k]. */
export type Quantize = (weight: CodedWeight, w: Float32Array) => RowCodes | GroupCodes | BlockOfCodes;

/** Codes of 8 bits for every weight, with one scale a row, or one for all. */
export const plainCodes =
  (workspace: Workspace, naive: boolean): Quantize =>
  ({ n, k }, w) => {
    if (!naive) return quantizeRows(workspace, w, n, k);
    const { codes, scales } = quantizeRows(workspace, w, 1, n * k);
    return { codes, scales: new Float32Array(n).fill(scales[0]!) };
  };

/** The constants of a block of codes, made of those of its block of floats. */
export function codedConstants(
  coded: Pick<Graph<Constant>, "constants">,
  weights: ReadonlyMap<string, CodedWeight>,
  constants: Tensors,
  quantize: Quantize,
): Map<string, Tensor> {
  const made = new Map<string, Tensor>();
  for (const name of coded.constants.keys()) {
    const weight = weights.get(name);
    const given = constants.get(name);
    if (!weight) {
      if (given) made.set(name, given);
      continue;
    }
    const { n, k, scale, groups, offsets } = weight;
    const codes = quantize(weight, given!.data as Float32Array);
    made.set(name, { dtype: "i8", shape: [n, k], data: codes.codes });
    if (scale !== "") made.set(scale, { dtype: "f32", shape: [n], data: codes.scales });
    if (groups !== undefined && "groups" in codes)
      made.set(groups, {
        dtype: codes.groups instanceof Int8Array ? "i8" : "f32",
        shape: [n, codes.groups.length / n],
        data: codes.groups,
      });
    if (offsets !== undefined && "offsets" in codes)
      made.set(offsets, { dtype: "f32", shape: [n, codes.offsets.length / n], data: codes.offsets });
  }
  return made;
}
