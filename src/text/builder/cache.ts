// Sizes of a decoder's caches: how many positions are kept, which is fixed before a graph is compiled.

import { OctetteError } from "../../errors";
import type { Graph, Node } from "../../graph/graph";
import type { Constant } from "../../graph/tensor";
import { checkOptions, type Names } from "../../options";

export interface CacheOptions {
  /** Most tokens of a text, prompt and answer together. */
  readonly maxTokens: number;
  /** Most tokens of one run. Default 64. */
  readonly chunk?: number;
}

const OPTIONS = { maxTokens: 1, chunk: 1 } satisfies Names<CacheOptions>;
/** Positions of a ring, and of a cache of codes, are a multiple of this: the tile of attention. */
const STEP = 32;
const whole = (positions: number) => Math.ceil(positions / STEP) * STEP;

/**
 * A graph of which the caches have sizes: `maxTokens` positions, or, in a layer whose window is less, as many as the tokens of a chunk
 * see; rings, and caches of codes, a multiple of 32. A window that no text is longer than is left out. Throws OctetteError "argument"
 * where an option is no whole number above 0.
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
  /** Positions of the states that are not as long as a text. */
  const own = new Map<string, number>();
  const coded = new Set(graph.states?.flatMap(({ name, dtype }) => (dtype === "i8" ? [name] : [])));
  const nodes = graph.nodes.map((node): Node => {
    const states = node.op === "CachedAttention" ? node.inputs.slice(3) : [];
    if (coded.has(states[0]!)) for (const state of states) own.set(state, whole(maxTokens));
    const window = Number(node.attributes.window ?? 0);
    if (node.op !== "CachedAttention" || window === 0) return node;
    if (window >= maxTokens) return { ...node, attributes: { ...node.attributes, window: 0 } };
    const positions = window + Math.min(chunk, maxTokens) - 1;
    for (const state of states) own.set(state, whole(positions));
    return node;
  });
  const states = graph.states?.map((state) => ({
    ...state,
    shape: state.shape.map((dim) => (dim === "cache" ? (own.get(state.name) ?? maxTokens) : dim)),
  }));
  return { ...graph, nodes, ...(states && { states }) };
}
