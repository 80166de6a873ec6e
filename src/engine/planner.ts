// Plans of one graph for sizes that change: for larger maxima, and, where kernels take a size as a number, for each of its
// values. All have the same constants at the same addresses.

import { OctetteError } from "../errors";
import type { Attribute, Graph } from "../graph/graph";
import { type Bindings, type Dim, substituteDim, symbolsOf } from "../graph/symbols";
import type { Constant } from "../graph/tensor";
import { inferTypes, type Registry } from "../ops/infer";
import { SizesNeeded } from "../ops/sizes";
import { type CompileOptions, type Lowered, layOut, lowerGraph } from "./compile";
import type { LoweringContext } from "./lowering";
import type { Plan, PlannedValue } from "./plan";
import { SharedConstants } from "./shared-constants";

/**
 * Makes plans of one graph for maxima. The rows of a batch that can be cut are never more than those of the options. Sizes that
 * have to be numbers are those given, or the smallest power of two that the graph takes.
 */
export type Planner = (maxima?: Bindings) => Plan;

/** Largest size that is tried where none is given. */
export const MAX_TRIAL = 2 ** 11;
/** Lowered graphs that are kept, each for other sizes. */
const MAX_LOWERED = 4;

export function plannerOf(graph: Graph<Constant>, options: CompileOptions): Planner {
  const { registry } = options;
  const types = inferTypes(graph, registry);
  const symbols = new Set([...types.values()].flatMap(({ shape }) => shape.flatMap(symbolsOf)));
  /** Symbols are told where a caller sees a type, whatever plan runs. */
  const told = (value: PlannedValue): PlannedValue => ({ ...value, type: types.get(value.name)! });
  /** Symbols of sizes that have to be numbers. */
  const sized = new Set<string>();
  const lowered = new Map<string, Lowered>();
  let first: { readonly c: LoweringContext; readonly loads: Plan["loads"] } | undefined;
  let shared: SharedConstants | undefined;

  const planFor = (maxima: Bindings): Plan => {
    const sizes = Object.fromEntries([...sized].map((symbol) => [symbol, maxima[symbol] ?? 1]));
    const key = JSON.stringify(sizes);
    const own = lowered.get(key) ?? lowerGraph(bound(graph, registry, sizes), options);
    lowered.delete(key);
    lowered.set(key, own);
    const [oldest] = lowered.keys();
    if (lowered.size > MAX_LOWERED) lowered.delete(oldest!);
    if (first && !own.later) {
      shared ??= new SharedConstants(first.c);
      own.later = { ...shared.share(own.c), buffers: shared.buffers, loads: first.loads };
    }
    const others = Object.entries(maxima).filter(([symbol]) => !sized.has(symbol));
    const plan = layOut(own, { ...options, maxima: Object.fromEntries(others) });
    first ??= { c: own.c, loads: plan.loads };
    own.later ??= { same: new Map(), own: [], buffers: [], loads: plan.loads };
    const { inputs, outputs, taps } = plan;
    return { ...plan, sizes, inputs: inputs.map(told), outputs: outputs.map(told), taps: taps.map(told) };
  };
  /** As `planFor`, which may find that more sizes have to be numbers. */
  const plan = (maxima: Bindings): Plan => {
    for (;;)
      try {
        return planFor(maxima);
      } catch (error) {
        const more = error instanceof SizesNeeded ? error.symbols : [];
        const added = more.filter((symbol) => symbols.has(symbol) && !sized.has(symbol));
        if (added.length === 0) throw error;
        for (const symbol of added) sized.add(symbol);
      }
  };
  return (maxima = {}) => {
    for (let trial = 1; ; trial *= 2)
      try {
        const tried = [...sized].filter((symbol) => maxima[symbol] === undefined);
        return plan({ ...Object.fromEntries(tried.map((symbol) => [symbol, trial])), ...maxima });
      } catch (error) {
        const isOpen = [...sized].some((symbol) => maxima[symbol] === undefined);
        const isOfSizes = error instanceof OctetteError && /^(graph|argument)$/.test(error.code);
        if (trial === MAX_TRIAL || !isOpen || !isOfSizes) throw error;
      }
  };
}

/** The graph with numbers in place of symbols: in the shapes of inputs, and in parameters that nodes have as attributes. */
export function bound(graph: Graph<Constant>, registry: Registry, sizes: Bindings): Graph<Constant> {
  const symbols = Object.keys(sizes);
  if (symbols.length === 0) return graph;
  const numbered = (dim: Dim): Dim =>
    symbols.reduce<Dim>(
      (d, symbol) => (typeof d === "string" ? substituteDim(d, symbol, sizes[symbol]!) : d),
      dim,
    );
  const attribute = (value: Attribute): Attribute =>
    Array.isArray(value) ? value.map(numbered) : numbered(value as Dim);
  return {
    ...graph,
    inputs: graph.inputs.map((input) => ({ ...input, shape: input.shape.map(numbered) })),
    nodes: graph.nodes.map((node) => {
      const names = Object.values(registry[node.op]?.parameters ?? {}).filter(
        (name) => name in node.attributes,
      );
      if (names.length === 0) return node;
      const own = names.map((name) => [name, attribute(node.attributes[name]!)] as const);
      return { ...node, attributes: { ...node.attributes, ...Object.fromEntries(own) } };
    }),
  };
}
