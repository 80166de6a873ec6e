// Whether norms are folded, and how far: the model is run over some text as it is and with int8 weights and activations, plain and
// folded, block by block. A fold is kept where it brings the divergence from the float model down.

import { type Agreement, AgreementSums } from "./agreement";
import { type Block, withResults } from "./blocks";
import {
  codedConstants,
  type FoldChoice,
  type Folding,
  foldingOf,
  NO_FOLD,
  plainCodes,
  readBlock,
  readEntered,
  readInBand,
  readLayers,
} from "./coded-block";
import { compareHeads } from "./compare-heads";
import { largestOf } from "./folds";
import { BlockRunner, type Hidden } from "./forward";
import type { Tensors } from "./parts";
import { type Band, type Entry, entryOf, inBand, inEntry } from "./vocabulary";
import type { Work } from "./work";

/**
 * α that is tried first, in sixteenths. With 8 bits .7 is within 3 % of the best on all models measured. Weights of 4 bits bear less: on
 * a model with outliers the divergence is .074 at .5 and .077 at .7.
 */
const FIRST = { 8: 11, 4: 8 } as const;
/** α that are tried where a fold is kept, with 8 bits. */
const OTHERS = { 8: [8, 14], 4: [] } as const;
/** A fold must bring the divergence to this share. */
const KEPT = 0.9;

export interface GateResult {
  readonly fold: FoldChoice;
  /** Divergence by α in sixteenths, 0 for no fold. */
  readonly tried: ReadonlyMap<number, Agreement>;
}

/** Chooses the fold for weights of `bits` by the divergence of 8 bits over windows. Told after each block: `onBlock`. */
export async function chooseFold(
  work: Work,
  bits: 4 | 8,
  windows: readonly Int32Array[],
  onBlock: () => Promise<void>,
): Promise<GateResult> {
  const tried = new Map<number, Agreement>();
  if (work.folds.length === 0) return { fold: NO_FOLD, tried };
  const sweep = new Sweep(work, windows, onBlock);
  const first = FIRST[bits];
  for (const alphas of [[0, first], OTHERS[bits]]) {
    if (alphas.length === 0) continue;
    const made = await sweep.run(alphas);
    for (const [i, alpha] of alphas.entries()) tried.set(alpha, made[i]!);
    if (tried.get(first)!.kld > KEPT * tried.get(0)!.kld) return { fold: NO_FOLD, tried };
  }
  const [best] = [...tried.keys()].sort((a, b) => tried.get(a)!.kld - tried.get(b)!.kld || b - a);
  return { fold: { sixteenths: best!, largest: sweep.largest }, tried };
}

/** How many blocks a choice goes through at most. */
export const gateBlocks = ({ blocks, folds }: Work, bits: 4 | 8): number =>
  folds.length === 0 ? 0 : (bits === 8 ? 2 : 1) * blocks.length;

class Sweep {
  readonly largest = new Map<string, Float32Array>();
  readonly #work: Work;
  readonly #windows: readonly Int32Array[];
  readonly #onBlock: () => Promise<void>;
  readonly #longest: number;
  /** States of the float model before its head, once it was run. */
  #float: Hidden | undefined;

  constructor(work: Work, windows: readonly Int32Array[], onBlock: () => Promise<void>) {
    this.#work = work;
    this.#windows = windows;
    this.#onBlock = onBlock;
    this.#longest = Math.max(...windows.map(({ length }) => length));
  }

  /** Runs the model with these α, the float model the first time only. */
  async run(alphas: readonly number[]): Promise<Agreement[]> {
    const layers = this.#work.blocks.slice(0, -1);
    const isKnown = this.#float !== undefined;
    let hidden: (Hidden | undefined)[] = alphas.map(() => undefined);
    for (const i of layers.keys()) {
      const { own, windows, constants } = await this.#entered(i);
      if (!isKnown) await this.#advanceFloat(i, own, windows, constants);
      const next: Hidden[] = [];
      for (const [a, alpha] of alphas.entries()) {
        const fold = await foldingOf(this.#work, i, this.#choice(alpha), constants);
        const coded = inEntry(this.#work.codedBlocks[i]!, this.#work.vocabulary, own);
        const runner = await this.#coded(coded, fold(constants));
        next.push(await runner.advance(windows, hidden[a]));
        runner.dispose();
      }
      hidden = next;
      await this.#onBlock();
    }
    const agreements = await this.#compare(alphas, hidden);
    await this.#onBlock();
    return agreements;
  }

  /** What block i is run over: the windows, of the first block as places among the rows of the table that they have. */
  async #entered(i: number) {
    const { work, windows } = { work: this.#work, windows: this.#windows };
    const own: Entry = i === 0 ? entryOf(work.vocabulary, windows) : { windows, ids: undefined };
    const constants = await (i === 0 ? readEntered(work, own) : readLayers(work, i));
    return { own, windows: own.windows, constants };
  }

  async #advanceFloat(
    i: number,
    entry: Entry,
    windows: readonly Int32Array[],
    constants: Tensors,
  ): Promise<void> {
    const block = inEntry(this.#work.blocks[i]!, this.#work.vocabulary, entry);
    const { values, take } = this.#watch(i);
    const runner = await this.#load(withResults(block, [...new Set([block.to, ...values])]), constants);
    this.#float = await runner.advance(windows, this.#float, take);
    runner.dispose();
  }

  /** The norms of a block that may be folded, and what finds the largest |x| of their columns. */
  #watch(i: number) {
    const { graph } = this.#work.blocks[i]!;
    const own = this.#work.folds.filter(({ vectors }) => graph.constants.has(vectors[0]!));
    const finders = own.map(({ value, columns }) => ({ value, ...largestOf(columns) }));
    for (const { value, largest } of finders) this.largest.set(value, largest);
    const take = (results: Record<string, Float32Array>) => {
      for (const { value, add } of finders) add(results[value]!);
    };
    return { values: own.map(({ value }) => value), take };
  }

  #load(block: Block, constants: Tensors): Promise<BlockRunner> {
    return BlockRunner.load(block, constants, this.#longest, this.#work);
  }

  #choice(alpha: number): FoldChoice {
    return { sixteenths: alpha, largest: this.largest };
  }

  /** A block of codes, of floats that are folded already. */
  #coded(block: Block, floats: Tensors): Promise<BlockRunner> {
    const { coded, workspace } = this.#work;
    return this.#load(
      block,
      codedConstants(block.graph, coded.weights, floats, plainCodes(workspace, false)),
    );
  }

  async #compare(alphas: readonly number[], hidden: readonly (Hidden | undefined)[]): Promise<Agreement[]> {
    const work = this.#work;
    const last = work.blocks.length - 1;
    const block = work.blocks[last]!;
    const { values, take } = this.#watch(last);
    if (values.length > 0) {
      const norms = withResults(block, values);
      const runner = await this.#load(norms, await readBlock(norms, work.source.read));
      await runner.run(this.#windows, this.#float, take);
      runner.dispose();
    }
    const layers = await readLayers(work, last);
    const folds: Folding[] = [];
    for (const alpha of alphas) folds.push(await foldingOf(work, last, this.#choice(alpha), layers));
    // The float model is loaded first: others take the same floats.
    let floats: Tensors = layers;
    const float = async (band: Band) => {
      floats = await readInBand(work, layers, band);
      return this.#load(inBand(block, work.vocabulary, band), floats);
    };
    const coded = (fold: Folding) => (band: Band) =>
      this.#coded(inBand(work.codedBlocks[last]!, work.vocabulary, band), fold(floats));
    const sums = new AgreementSums(alphas.length);
    await compareHeads(
      work.vocabulary.bands,
      this.#windows,
      { load: float, hidden: this.#float },
      folds.map((fold, a) => ({ load: coded(fold), hidden: hidden[a] })),
      work.pause,
      sums,
    );
    return sums.done();
  }
}
