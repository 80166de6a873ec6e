// Sizes of a decoder's caches: how many positions are kept, which is fixed before a graph is compiled.

import { OctetteError } from "../../errors";
import type { Graph } from "../../graph/graph";
import type { Constant } from "../../graph/tensor";
import { checkOptions, type Names } from "../../options";

export interface CacheOptions {
  /** Most tokens of a text, prompt and answer together. */
  readonly maxTokens: number;
  /** Most tokens of one run. Default 64. */
  readonly chunk?: number;
}

const OPTIONS = { maxTokens: 1, chunk: 1 } satisfies Names<CacheOptions>;
/** Positions of a ring are a multiple of this: the tile of attention. */
const RING_STEP = 32;

/**
 * A graph of which the caches have sizes: all of `maxTokens` positions, and those of a layer with a window only as many as a chunk's
 * tokens see: a ring of a multiple of 32. Throws OctetteError "argument" where one is no whole number above 0.
 */
export function bindCache<C extends Constant>(graph: Graph<C>, options: CacheOptions): Graph<C> {
  checkOptions("bindCache", options, OPTIONS);
  const { maxTokens, chunk = 64 } = options;
  for (const [name, value] of Object.entries({ maxTokens, chunk }))
    if (!Number.isSafeInteger(value) || value < 1)
      throw new OctetteError(`${name} must be a whole number above 0`, {
        code: "argument",
        where: "bindCache",
        got: `${value}`,
      });
  const windows = new Map<string, number>();
  for (const { op, inputs, attributes } of graph.nodes)
    if (op === "CachedAttention")
      for (const state of inputs.slice(3)) windows.set(state, Number(attributes.window ?? 0));
  const sizeOf = (state: string): number => {
    const window = windows.get(state) ?? 0;
    if (window === 0) return maxTokens;
    return Math.min(Math.ceil((window + chunk - 1) / RING_STEP) * RING_STEP, maxTokens);
  };
  const states = graph.states?.map((state) => ({
    ...state,
    shape: state.shape.map((dim) => (dim === "cache" ? sizeOf(state.name) : dim)),
  }));
  return { ...graph, ...(states && { states }) };
}
