// How far a quantized language model is from its source on text: both run block by block over the same windows.

import { type Agreement, AgreementSums } from "./agreement";
import type { Block } from "./blocks";
import { readEntered, readInBand, readLayers } from "./coded-block";
import { compareHeads } from "./compare-heads";
import { BlockRunner, type Hidden } from "./forward";
import { longestOf } from "./layer-codes";
import type { Tensors } from "./parts";
import { type Band, constantsInBand, constantsInEntry, entryOf, inBand, inEntry } from "./vocabulary";
import type { Work } from "./work";

/** Bytes of hidden states of both models that are in memory at once. */
const STATE_BYTES = 2 ** 26;

/** Windows that go through all blocks together. */
export function batchesOf(work: Work, windows: readonly Int32Array[]): Int32Array[][] {
  const width = work.blocks[1]?.graph.inputs.find(({ name }) => name === work.blocks[1]!.from)?.shape.at(-1);
  const each = Math.max(1, Math.floor(STATE_BYTES / (8 * Number(width ?? 1) * longestOf(windows))));
  const batches: Int32Array[][] = [];
  for (let at = 0; at < windows.length; at += each) batches.push(windows.slice(at, at + each));
  return batches;
}

/** Compares the model of codes, whose blocks' constants `codesOf` gives, with the model of floats. Told after each block: `onBlock`. */
export async function agreementOf(
  work: Work,
  codesOf: (block: number) => Promise<Tensors>,
  windows: readonly Int32Array[],
  onBlock: () => Promise<void>,
): Promise<Agreement> {
  const { blocks, codedBlocks, vocabulary } = work;
  const tokens = longestOf(windows);
  const load = (block: Block, constants: Tensors) => BlockRunner.load(block, constants, tokens, work);
  const last = blocks.length - 1;
  const sums = new AgreementSums(1);
  for (const batch of batchesOf(work, windows)) {
    let own: Hidden | undefined;
    let other: Hidden | undefined;
    const advanced = async (
      block: Block,
      constants: Tensors,
      ids: readonly Int32Array[],
      hidden: Hidden | undefined,
    ) => {
      const runner = await load(block, constants);
      const after = await runner.advance(ids, hidden);
      runner.dispose();
      return after;
    };
    const entry = entryOf(vocabulary, batch);
    for (let i = 0; i < last; i++) {
      const [block, coded] = [blocks[i]!, codedBlocks[i]!];
      if (i > 0) {
        own = await advanced(block, await readLayers(work, i), batch, own);
        other = await advanced(coded, await codesOf(i), batch, other);
      } else {
        own = await advanced(
          inEntry(block, vocabulary, entry),
          await readEntered(work, entry),
          entry.windows,
          own,
        );
        const codes = constantsInEntry(coded, vocabulary, entry, await codesOf(i));
        other = await advanced(inEntry(coded, vocabulary, entry), codes, entry.windows, other);
      }
      await onBlock();
    }
    const [block, coded] = [blocks[last]!, codedBlocks[last]!];
    const layers = await readLayers(work, last);
    const float = async (band: Band) =>
      load(inBand(block, vocabulary, band), await readInBand(work, layers, band));
    const made = async (band: Band) =>
      load(inBand(coded, vocabulary, band), constantsInBand(coded, vocabulary, band, await codesOf(last)));
    await compareHeads(
      vocabulary.bands,
      batch,
      { load: float, hidden: own },
      [{ load: made, hidden: other }],
      work.pause,
      sums,
    );
    await onBlock();
  }
  const [agreement] = sums.done();
  return agreement!;
}
