// Elements of a block's constants: floats as the source has them, then with norms folded, then codes with their scales. Table and head are
// not among them; they are read, folded and coded in bands.

import type { LanguageGraph } from "../../formats/language-source";
import type { Graph } from "../../graph/graph";
import type { Constant, Tensor } from "../../graph/tensor";
import type { Block } from "./blocks";
import { columnFactorsOf, type Fold, folded, largestOf } from "./folds";
import type { BlockOfCodes } from "./kept-codes";
import { type GroupCodes, quantizeRows, type RowCodes } from "./layer-weights";
import type { Tensors } from "./parts";
import type { CodedWeight } from "./recipe";
import { type Band, constantsInBand, type Entry, readEntry, type TokenMatrix } from "./vocabulary";
import type { Work } from "./work";
import type { Workspace } from "./workspace";

/** Which norms are folded, and how far. */
export interface FoldChoice {
  /** α of SmoothQuant in sixteenths; 0: no norm is folded. */
  readonly sixteenths: number;
  /** max|x| of each column of a norm's output, by its name. */
  readonly largest: ReadonlyMap<string, Float32Array>;
}

export const NO_FOLD: FoldChoice = { sixteenths: 0, largest: new Map() };

/** The constants of a block as floats, without `leftOut`. */
export async function readBlock(
  { graph }: Block,
  read: LanguageGraph["read"],
  leftOut: readonly string[] = [],
): Promise<Map<string, Tensor>> {
  const constants = new Map<string, Tensor>();
  for (const [name, constant] of graph.constants)
    if (!leftOut.includes(name)) constants.set(name, constant.data ? (constant as Tensor) : await read(name));
  return constants;
}

/** Table or head that block `i` has. */
export const tokenMatricesOf = ({ blocks, vocabulary: { table, head } }: Work, i: number): TokenMatrix[] => [
  ...(i === 0 && table ? [table] : []),
  ...(i === blocks.length - 1 && head ? [head] : []),
];

/** The floats of block `i`, without table and head. */
export const readLayers = (work: Work, i: number): Promise<Map<string, Tensor>> =>
  readBlock(
    work.blocks[i]!,
    work.source.read,
    tokenMatricesOf(work, i).map(({ name }) => name),
  );

/** The floats of the first block, of whose table there are the rows of an entry. */
export async function readEntered(work: Work, { ids }: Entry): Promise<Map<string, Tensor>> {
  const constants = await readLayers(work, 0);
  const { table } = work.vocabulary;
  if (table && ids) constants.set(table.name, await readEntry(table, ids, work.source));
  return constants;
}

/** The floats of the last block in a band of its logits; `layers`: without its head. */
export async function readInBand(work: Work, layers: Tensors, band: Band): Promise<Map<string, Tensor>> {
  const { blocks, vocabulary } = work;
  const constants = new Map(constantsInBand(blocks.at(-1)!, vocabulary, band, layers));
  const { head } = vocabulary;
  if (head) constants.set(head.name, await readBand(work, head, band));
  return constants;
}

/** A band of a table or head. */
export const readBand = ({ source }: Work, { name }: TokenMatrix, { begin, end }: Band): Promise<Tensor> =>
  source.readRows(name, begin, end);

/** Does a fold to constants. */
export type Folding = (constants: Tensors) => Tensors;

/** The folds of block `i`, whose constants but table and head are `constants`. */
export async function foldingOf(
  work: Work,
  i: number,
  { sixteenths, largest }: FoldChoice,
  constants: Tensors,
): Promise<Folding> {
  if (sixteenths === 0) return (those) => those;
  const { graph } = work.blocks[i]!;
  const chosen: { readonly fold: Fold; readonly factors: Float32Array }[] = [];
  for (const fold of work.folds.filter(({ vectors }) => graph.constants.has(vectors[0]!))) {
    const most = largest.get(fold.value);
    if (!most) continue;
    const reading = largestOf(fold.columns);
    for (const name of fold.weights) {
      const matrix = tokenMatricesOf(work, i).find((one) => one.name === name);
      if (!matrix) reading.add(constants.get(name)!.data as Float32Array);
      else
        for (const band of matrix.bands)
          reading.add((await readBand(work, matrix, band)).data as Float32Array);
    }
    chosen.push({ fold, factors: columnFactorsOf(most, sixteenths, reading.largest) });
  }
  return (those) => chosen.reduce((done, { fold, factors }) => folded(fold, factors, done), those);
}

/** Gives the codes of a weight, f32 [n, k], or of some of its rows. */
export type Quantize = (weight: CodedWeight, w: Float32Array) => RowCodes | GroupCodes | BlockOfCodes;

/** Codes of 8 bits for every weight, with one scale a row, or one for all. */
export const plainCodes =
  (workspace: Workspace, naive: boolean): Quantize =>
  ({ k }, w) => {
    const n = w.length / k;
    if (!naive) return quantizeRows(workspace, w, n, k);
    const { codes, scales } = quantizeRows(workspace, w, 1, n * k);
    return { codes, scales: new Float32Array(n).fill(scales[0]!) };
  };

/** The constants of a quantized block, made from its float block's. */
export function codedConstants(
  coded: Pick<Graph<Constant>, "constants">,
  weights: ReadonlyMap<string, CodedWeight>,
  constants: Tensors,
  quantize: Quantize,
): Map<string, Tensor> {
  const made = new Map<string, Tensor>();
  for (const name of coded.constants.keys()) {
    const given = constants.get(name);
    if (!given) continue;
    const weight = weights.get(name);
    const own = weight
      ? tensorsOf(weight, quantize(weight, given.data as Float32Array))
      : [[name, given] as const];
    for (const [key, tensor] of own) made.set(key, tensor);
  }
  return made;
}

/** A weight's codes as constants. */
function tensorsOf(
  { name, k, scale, groups, offsets }: CodedWeight,
  codes: RowCodes | GroupCodes | BlockOfCodes,
): [string, Tensor][] {
  const n = codes.codes.length / k;
  const made: [string, Tensor][] = [[name, { dtype: "i8", shape: [n, k], data: codes.codes }]];
  if (scale !== "") made.push([scale, { dtype: "f32", shape: [n], data: codes.scales }]);
  if (groups !== undefined && "groups" in codes) {
    const dtype = codes.groups instanceof Int8Array ? "i8" : "f32";
    made.push([groups, { dtype, shape: [n, codes.groups.length / n], data: codes.groups }]);
  }
  if (offsets !== undefined && "offsets" in codes)
    made.push([offsets, { dtype: "f32", shape: [n, codes.offsets.length / n], data: codes.offsets }]);
  return made;
}

/** Codes of 8 bits of the table or head of block `i`, as constants. */
export async function codedTokenMatrices(
  work: Work,
  i: number,
  fold: Folding = (those) => those,
): Promise<Map<string, Tensor>> {
  const { coded, workspace, recipe } = work;
  const quantize = plainCodes(workspace, recipe.naive === true);
  const made = new Map<string, Tensor>();
  for (const matrix of tokenMatricesOf(work, i)) {
    const weight = coded.weights.get(matrix.name)!;
    const codes = new Int8Array(weight.n * weight.k);
    const scales = new Float32Array(weight.n);
    for (const band of matrix.bands) {
      const floats = fold(new Map([[matrix.name, await readBand(work, matrix, band)]])).get(matrix.name)!;
      const rows = quantize(weight, floats.data as Float32Array);
      codes.set(rows.codes, band.begin * weight.k);
      scales.set(rows.scales, band.begin);
      await work.pause();
    }
    for (const [key, tensor] of tensorsOf(weight, { codes, scales })) made.set(key, tensor);
  }
  return made;
}
