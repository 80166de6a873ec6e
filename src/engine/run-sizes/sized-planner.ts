// Plans of one graph where kernels take sizes as numbers: one for each of their values. All have the same constants at the same
// addresses.

import { OctetteError } from "../../errors";
import { substituteDim } from "../../graph/dim-functions";
import type { Attribute, Graph, Node } from "../../graph/graph";
import { type Bindings, type Dim, symbolsOf } from "../../graph/symbols";
import type { Constant } from "../../graph/tensor";
import { inferTypes, type Registry } from "../../ops/infer";
import { SizesNeeded } from "../../ops/sizes";
import { type CompileOptions, type Lowered, layOut, lowerGraph } from "../compile";
import type { LoweringContext } from "../lowering";
import type { Plan, PlannedValue } from "../plan";
import type { Planner } from "../planner";
import { SharedConstants } from "./shared-constants";

/** Largest size that is tried where none is given. */
export const MAX_TRIAL = 2 ** 11;
/** Lowered graphs that are kept, each for other sizes. */
const MAX_LOWERED = 4;

/** Sizes that have to be numbers are those given, or the smallest power of two that the graph takes. */
export function sizedPlannerOf(graph: Graph<Constant>, options: CompileOptions): Planner {
  const { registry } = options;
  const types = inferTypes(graph, registry);
  const found = graph.nodes.flatMap(({ attributes }) => attributes.found ?? []) as readonly string[];
  const inTypes = new Set([...types.values()].flatMap(({ shape }) => shape.flatMap(symbolsOf)));
  const symbols = new Set([...found, ...inTypes]);
  /** Symbols are told where a caller sees a type, whatever plan runs. */
  const told = (value: PlannedValue): PlannedValue => ({ ...value, type: types.get(value.name)! });
  /** Symbols of sizes that have to be numbers. */
  const sized = new Set<string>();
  const lowered = new Map<string, Lowered>();
  let first: { readonly c: LoweringContext; readonly loads: Plan["loads"] } | undefined;
  let shared: SharedConstants | undefined;

  /** Symbols that a node finds, those aside that nothing mentions. */
  const findsOf = ({ attributes }: Node) =>
    ((attributes.found ?? []) as readonly string[]).filter(
      (symbol) => inTypes.has(symbol) || sized.has(symbol),
    );
  /** The nodes up to the first that finds a size which is not given, without outputs; undefined where none does. */
  const untilFound = (maxima: Bindings): Graph<Constant> | undefined => {
    const last = graph.nodes.findIndex((node) =>
      findsOf(node).some((symbol) => maxima[symbol] === undefined),
    );
    return last < 0 ? undefined : { ...graph, outputs: [], nodes: graph.nodes.slice(0, last + 1) };
  };

  const planFor = (maxima: Bindings, of = graph): Plan => {
    const isPart = of !== graph;
    const given = isPart ? { ...options, taps: [] } : options;
    const sizes = Object.fromEntries([...sized].map((symbol) => [symbol, maxima[symbol] ?? 1]));
    const key = JSON.stringify([of.nodes.length, sizes]);
    const isAsItIs = !isPart && sized.size === 0;
    const own =
      lowered.get(key) ??
      lowerGraph(bound(of, registry, sizes), given, ...(isAsItIs ? [new Map(types)] : []));
    lowered.delete(key);
    lowered.set(key, own);
    const [oldest] = lowered.keys();
    if (lowered.size > MAX_LOWERED) lowered.delete(oldest!);
    if (first && !own.later) {
      shared ??= new SharedConstants(first.c);
      own.later = { ...shared.share(own.c), buffers: shared.buffers, loads: first.loads };
    }
    const others = Object.entries(maxima).filter(([symbol]) => inTypes.has(symbol) && !sized.has(symbol));
    const plan = layOut(own, { ...given, maxima: Object.fromEntries(others) });
    if (!isPart) first ??= { c: own.c, loads: plan.loads };
    own.later ??= { same: new Map(), own: [], buffers: [], loads: plan.loads };
    const { inputs, outputs, taps } = plan;
    const pauses = plan.pauses.map((pause) => ({
      ...pause,
      node: graph.nodes[own.graph.nodes.indexOf(pause.node)]!,
    }));
    return {
      ...plan,
      ...(isPart ? { open: findsOf(of.nodes.at(-1)!) } : {}),
      sizes,
      pauses,
      inputs: inputs.map(told),
      outputs: outputs.map(told),
      taps: taps.map(told),
    };
  };
  /** As `planFor`, which may find that more sizes have to be numbers. */
  const plan = (maxima: Bindings, of?: Graph<Constant>): Plan => {
    for (;;)
      try {
        return planFor(maxima, of);
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
        if (!isOpen || !isOfSizes) throw error;
        if (trial < MAX_TRIAL) continue;
        const part = untilFound(maxima);
        if (!part) throw error;
        return plan(maxima, part);
      }
  };
}

/** The graph with numbers in place of symbols: in the shapes of inputs, and in parameters that nodes have as attributes. */
export function bound(graph: Graph<Constant>, registry: Registry, sizes: Bindings): Graph<Constant> {
  if (Object.keys(sizes).length === 0) return graph;
  return {
    ...graph,
    inputs: graph.inputs.map((input) => ({
      ...input,
      shape: input.shape.map((dim) => boundDim(dim, sizes)),
    })),
    nodes: graph.nodes.map((node) => boundNode(node, registry, sizes)),
  };
}

const boundDim = (dim: Dim, sizes: Bindings): Dim =>
  Object.keys(sizes).reduce<Dim>(
    (d, symbol) => (typeof d === "string" ? substituteDim(d, symbol, sizes[symbol]!) : d),
    dim,
  );

/** The node with numbers in place of symbols among its parameters. */
export function boundNode(node: Node, registry: Registry, sizes: Bindings): Node {
  const parameters = ["found", ...Object.values(registry[node.op]?.parameters ?? {})];
  const names = parameters.filter((name) => name in node.attributes);
  if (names.length === 0) return node;
  const numbered = (value: Attribute): Attribute =>
    Array.isArray(value) ? value.map((dim) => boundDim(dim, sizes)) : boundDim(value as Dim, sizes);
  const own = names.map((name) => [name, numbered(node.attributes[name]!)] as const);
  return { ...node, attributes: { ...node.attributes, ...Object.fromEntries(own) } };
}
