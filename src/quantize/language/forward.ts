// Windows of text go through a language model block by block. Only the current hidden states are in memory.

import { createModel, type Model } from "../../engine/model";
import type { Tensor } from "../../graph/tensor";
import { bindCache } from "../../text/builder/cache";
import type { Toolkit } from "../../toolkit/toolkit";
import type { Block } from "./blocks";

/** Tokens of one run. */
export const CHUNK = 64;

/** Hidden states of windows of text, [tokens, hidden] each. */
export type Hidden = readonly Float32Array[];

export interface ForwardOptions {
  readonly toolkit: Toolkit;
  readonly threads: number;
  /** Awaited after each window: gives way, and throws once the work is stopped. */
  readonly pause: () => Promise<void>;
}

/** A block that is loaded, to be run over windows. */
export class BlockRunner {
  readonly #model: Model;
  readonly #from: string | undefined;
  readonly #to: string;
  readonly #options: ForwardOptions;
  readonly #takesIds: boolean;

  private constructor(model: Model, { from, to }: Pick<Block, "from" | "to">, options: ForwardOptions) {
    this.#model = model;
    this.#from = from;
    this.#to = to;
    this.#options = options;
    this.#takesIds = model.inputs.some(({ name }) => name === "ids");
  }

  /** Loads a block with its constants, for windows of at most `tokens`. */
  static async load(
    block: Block,
    constants: ReadonlyMap<string, Tensor>,
    tokens: number,
    options: ForwardOptions,
  ): Promise<BlockRunner> {
    const { ops, engine } = options.toolkit;
    const chunk = Math.min(CHUNK, tokens);
    const own = [...block.graph.constants.keys()].map((name) => [name, constants.get(name)!] as const);
    const graph = bindCache({ ...block.graph, constants: new Map(own) }, { maxTokens: tokens, chunk });
    const model = await createModel(graph, ops, engine, {
      maxima: { tokens: chunk, rows: chunk, cache: tokens },
      maxBytes: Infinity,
      threads: options.threads,
    });
    return new BlockRunner(model, block, options);
  }

  /** Results for the chunk of a window that begins at `position`, by name; `states` are the window's before the block. */
  chunk(ids: Int32Array, states: Float32Array | undefined, position: number): Record<string, Float32Array> {
    if (position === 0) for (const { data } of this.#model.states) data.fill(0);
    const tokens = Math.min(CHUNK, ids.length - position);
    const feeds: Record<string, Tensor> = {};
    if (this.#takesIds)
      feeds.ids = { dtype: "i32", shape: [1, tokens], data: ids.subarray(position, position + tokens) };
    if (states && this.#from !== undefined) {
      const width = states.length / ids.length;
      const data = states.subarray(position * width, (position + tokens) * width);
      feeds[this.#from] = { dtype: "f32", shape: [1, tokens, width], data };
    }
    const made = this.#model.runSync(feeds, {}, { position, rows: tokens });
    return Object.fromEntries(Object.entries(made).map(([name, { data }]) => [name, data as Float32Array]));
  }

  /** Runs windows, whose states before the block are `hidden`. `take` is given the results of each chunk, in order. */
  async run(
    windows: readonly Int32Array[],
    hidden: Hidden | undefined,
    take: (results: Record<string, Float32Array>, window: number, position: number) => void,
  ): Promise<void> {
    for (const [w, ids] of windows.entries()) {
      for (let at = 0; at < ids.length; at += CHUNK) take(this.chunk(ids, hidden?.[w], at), w, at);
      await this.#options.pause();
    }
  }

  /** States of windows after the block, of those before it. `take` is given what else the block results in. */
  async advance(
    windows: readonly Int32Array[],
    hidden: Hidden | undefined,
    take: (results: Record<string, Float32Array>) => void = () => {},
  ): Promise<Hidden> {
    const after: Float32Array[] = [];
    await this.run(windows, hidden, (results, w, position) => {
      const rows = results[this.#to]!;
      const { length } = windows[w]!;
      const width = rows.length / Math.min(CHUNK, length - position);
      after[w] ??= new Float32Array(width * length);
      after[w].set(rows, position * width);
      take(results);
    });
    return after;
  }

  dispose(): void {
    this.#model.dispose();
  }
}
