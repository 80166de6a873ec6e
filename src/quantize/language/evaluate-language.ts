// How far a quantized language model is from its source on text: both run block by block over the same windows.

import { inferTypes } from "../../ops/infer";
import { type Agreement, AgreementSums } from "./agreement";
import type { Block } from "./blocks";
import { readBlock } from "./coded-block";
import { compareHeads } from "./compare-heads";
import { BlockRunner, type Hidden } from "./forward";
import { longestOf } from "./layer-codes";
import type { Tensors } from "./parts";
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
  const { blocks, codedBlocks } = work;
  const tokens = longestOf(windows);
  const load = (block: Block, constants: Tensors) => BlockRunner.load(block, constants, tokens, work);
  const last = blocks.length - 1;
  let sums: AgreementSums | undefined;
  let agreement: Agreement | undefined;
  for (const batch of batchesOf(work, windows)) {
    let own: Hidden | undefined;
    let other: Hidden | undefined;
    const advanced = async (block: Block, constants: Tensors, hidden: Hidden | undefined) => {
      const runner = await load(block, constants);
      const after = await runner.advance(batch, hidden);
      runner.dispose();
      return after;
    };
    for (let i = 0; i < last; i++) {
      own = await advanced(blocks[i]!, await readBlock(blocks[i]!, work.source.read), own);
      other = await advanced(codedBlocks[i]!, await codesOf(i), other);
      await onBlock();
    }
    const float = await load(blocks[last]!, await readBlock(blocks[last]!, work.source.read));
    const coded = await load(codedBlocks[last]!, await codesOf(last));
    sums ??= new AgreementSums(vocabularyOf(work), 1);
    const heads = [{ runner: float, hidden: own }, [{ runner: coded, hidden: other }]] as const;
    [agreement] = await compareHeads(batch, ...heads, work.pause, sums);
    float.dispose();
    coded.dispose();
    await onBlock();
  }
  return agreement!;
}

/** Logits of a row. */
const vocabularyOf = ({ source, toolkit }: Work): number =>
  Number(inferTypes(source.graph, toolkit.ops).get(source.graph.outputs[0]!)!.shape.at(-1));
