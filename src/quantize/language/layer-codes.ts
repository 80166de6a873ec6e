// The codes of all blocks, one after the other. With 4 bits the inputs of a block's layers are those that the blocks before it give once
// they are quantized, and GPTQ makes good what is left.

import { type Block, withResults } from "./blocks";
import {
  codedConstants,
  codedTokenMatrices,
  type FoldChoice,
  foldingOf,
  plainCodes,
  type Quantize,
  readEntered,
  readLayers,
} from "./coded-block";
import { BlockRunner, type Hidden } from "./forward";
import { keptCodes } from "./kept-codes";
import { LayerInputs } from "./layer-inputs";
import { quantizeGroups } from "./layer-weights";
import type { KeptParts, Tensors } from "./parts";
import type { CodedWeight } from "./recipe";
import { constantsInEntry, entryOf, inEntry } from "./vocabulary";
import type { Work } from "./work";

/** Name of the part with the constants of a block. */
export const blockPart = (i: number) => `block-${i}`;
/** Name of the part with the hidden states before a block, kept while that block is the next. */
const hiddenPart = (i: number) => `hidden-${i}`;

/**
 * Writes the constants of every block of codes as a part; blocks whose part is there are done. `windows` are what 4 bits are fitted to.
 * Told after each block: `onBlock`.
 */
export async function writeLayers(
  work: Work,
  fold: FoldChoice,
  windows: readonly Int32Array[],
  parts: KeptParts,
  onBlock: () => Promise<void>,
): Promise<void> {
  const { blocks, codedBlocks, coded, workspace, recipe, vocabulary } = work;
  const weightsOf = (i: number) =>
    [...codedBlocks[i]!.graph.constants.keys()].flatMap((name) => coded.weights.get(name) ?? []);
  const isFitted = (i: number) => weightsOf(i).some(needsFitting);
  const last = blocks.findLastIndex((_, i) => isFitted(i));
  let hidden: Hidden | undefined;
  for (const [i, block] of blocks.entries()) {
    if (await parts.read(blockPart(i))) {
      await onBlock();
      continue;
    }
    const entry = i === 0 ? entryOf(vocabulary, windows) : { windows, ids: undefined };
    const layers = await (i === 0 ? readEntered(work, entry) : readLayers(work, i));
    const folding = await foldingOf(work, i, fold, layers);
    const float = folding(layers);
    let quantize = plainCodes(workspace, recipe.naive === true);
    if (i > 0 && i <= last) hidden ??= statesOf(await parts.read(hiddenPart(i)), windows.length);
    const mark = workspace.mark;
    const read = { windows: entry.windows, hidden };
    if (isFitted(i))
      quantize = await fitted(work, i, inEntry(block, vocabulary, entry), float, read, quantize);
    const given = new Map<string, ReturnType<typeof keptCodes>>();
    for (const { name, kept } of weightsOf(i))
      if (kept) given.set(name, keptCodes((await work.source.readCodes(name))!));
    const codes = codedConstants(
      codedBlocks[i]!.graph,
      coded.weights,
      float,
      (weight, w) => given.get(weight.name) ?? quantize(weight, w),
    );
    workspace.release(mark);
    for (const [name, tensor] of await codedTokenMatrices(work, i, folding)) codes.set(name, tensor);
    if (i < last) {
      const own = constantsInEntry(codedBlocks[i]!, vocabulary, entry, codes);
      const entered = inEntry(codedBlocks[i]!, vocabulary, entry);
      const runner = await BlockRunner.load(entered, own, longestOf(windows), work);
      hidden = await runner.advance(entry.windows, hidden);
      runner.dispose();
      await parts.write(hiddenPart(i + 1), tensorsOf(hidden));
    }
    await parts.write(blockPart(i), codes);
    await parts.remove(hiddenPart(i));
    await onBlock();
  }
}

/** Whether GPTQ makes the codes of a weight. */
const needsFitting = ({ bits, input, kept }: CodedWeight) => bits === 4 && input !== undefined && !kept;

export const longestOf = (windows: readonly Int32Array[]): number =>
  windows.reduce((most, { length }) => Math.max(most, length), 1);

/** GPTQ for the 4-bit layers of a block, on their inputs in all windows. */
async function fitted(
  work: Work,
  i: number,
  block: Block,
  constants: Tensors,
  { windows, hidden }: { readonly windows: readonly Int32Array[]; readonly hidden: Hidden | undefined },
  plain: Quantize,
): Promise<Quantize> {
  const { codedBlocks, coded, workspace } = work;
  const inputs = new Map<string, LayerInputs>();
  for (const name of codedBlocks[i]!.graph.constants.keys()) {
    const weight = coded.weights.get(name);
    if (weight && needsFitting(weight) && !inputs.has(weight.input!))
      inputs.set(weight.input!, new LayerInputs(workspace, weight.k));
  }
  const runner = await BlockRunner.load(
    withResults(block, [...inputs.keys()]),
    constants,
    longestOf(windows),
    work,
  );
  await runner.run(windows, hidden, (results) => {
    for (const [value, own] of inputs) own.add(results[value]!);
  });
  runner.dispose();
  return (weight, w) => {
    const own = needsFitting(weight) ? inputs.get(weight.input!) : undefined;
    return own ? quantizeGroups(workspace, w, weight.n, weight.k, own) : plain(weight, w);
  };
}

const tensorsOf = (hidden: Hidden): Tensors =>
  new Map(hidden.map((data, w) => [`${w}`, { dtype: "f32", shape: [data.length], data }]));

const statesOf = (tensors: Tensors | undefined, windows: number): Hidden | undefined =>
  tensors && Array.from({ length: windows }, (_, w) => tensors.get(`${w}`)!.data as Float32Array);
