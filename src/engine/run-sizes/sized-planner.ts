// Plans of one graph where kernels take sizes as numbers, or where sizes have to be equal: one for each of their values, and one
// for all runs in which they are. All have the same constants at the same addresses.

import { OctetteError } from "../../errors";
import { substituted } from "../../graph/dim-functions";
import type { Graph, Node, ValueType } from "../../graph/graph";
import { type Bindings, type Dim, evaluateDim, symbolsOf } from "../../graph/symbols";
import type { Constant } from "../../graph/tensor";
import { bound } from "../../ops/bound";
import { inferTypes } from "../../ops/infer";
import { SizesNeeded } from "../../ops/sizes";
import { type CompileOptions, type Lowered, layOut, lowerGraph } from "../compile";
import type { LoweringContext } from "../lowering";
import type { Plan, PlannedValue, Planner } from "../plan";
import { type Equal, equalIn, heldIn, symbolsIn } from "./equal-sizes";
import { SharedConstants } from "./shared-constants";

/** Largest size that is tried where none is given. */
export const MAX_TRIAL = 2 ** 11;
/** Lowered graphs that are kept, each for other sizes. */
const MAX_LOWERED = 4;
/** Graphs that are kept in which other sizes are equal. */
const MAX_VARIANTS = 8;

/** The graph as it is where some of its sizes are equal. */
interface Variant {
  readonly graph: Graph<Constant>;
  readonly types: ReadonlyMap<string, ValueType>;
  /** Symbols that a shape has. */
  readonly inTypes: ReadonlySet<string>;
  readonly symbols: ReadonlySet<string>;
  readonly equal: Equal;
  /** What may be equal, too. */
  readonly more: Equal;
  /** Symbols of sizes that have to be numbers. */
  readonly sized: Set<string>;
}

/** Sizes that have to be numbers are those given, or the smallest power of two that the graph takes. */
export function sizedPlannerOf(graph: Graph<Constant>, unsized: CompileOptions): Planner {
  const { registry } = unsized;
  const types = inferTypes(graph, registry);
  const options: CompileOptions = {
    ...unsized,
    // Weights that one row would pack in another way are packed once for all sizes.
    hasMore: (node, one) => {
      const made = graph.nodes.flatMap(({ name, outputs }) => (name === node ? outputs : []));
      const dims = made.flatMap((value) => types.get(value)?.shape ?? []);
      return dims.flatMap(symbolsOf).some((symbol) => symbol !== one);
    },
  };
  /** Symbols are told where a caller sees a type, whatever plan runs. */
  const told = (value: PlannedValue): PlannedValue => ({ ...value, type: types.get(value.name)! });
  const variants = new Map<string, Variant>();
  const lowered = new Map<string, Lowered>();
  let first: { readonly c: LoweringContext; readonly loads: Plan["loads"] } | undefined;
  let shared: SharedConstants | undefined;

  const variantOf = (equal: Equal): Variant => {
    const own = bound(graph, registry, equal);
    const ownTypes = equal === NOTHING ? types : inferTypes(own, registry);
    const shapes = [...ownTypes.values()].map(({ shape }) => shape);
    const inTypes = new Set(shapes.flat().flatMap(symbolsOf));
    const known = symbolsIn(own);
    const more = equalIn(shapes, known);
    const symbols = new Set([...known.all, ...inTypes]);
    return { graph: own, types: ownTypes, inTypes, symbols, equal, more, sized: new Set() };
  };
  /** The graph in which everything is equal that is in a run. */
  const variantFor = (run: Bindings): Variant => {
    for (let equal: Equal = NOTHING; ; ) {
      const key = JSON.stringify(equal);
      const variant = recent(variants, key, MAX_VARIANTS, () => variantOf(equal));
      const held = heldIn(variant.more, run);
      if (Object.keys(held).length === 0) return variant;
      const before = Object.entries(equal).map(([symbol, dim]) => [symbol, substituted(dim, held)]);
      equal = { ...Object.fromEntries(before), ...held };
    }
  };

  const planFor = (variant: Variant, maxima: Bindings, of: Graph<Constant>, isTrial: boolean): Plan => {
    const { sized, equal, inTypes } = variant;
    const isPart = of !== variant.graph;
    const given = isPart ? { ...options, taps: [] } : options;
    const sizes = Object.fromEntries([...sized].map((symbol) => [symbol, maxima[symbol] ?? 1]));
    const key = JSON.stringify([equal, of.nodes.length, sizes]);
    const isAsItIs = !isPart && sized.size === 0;
    const own = recent(lowered, key, MAX_LOWERED, () =>
      lowerGraph(bound(of, registry, sizes), given, ...(isAsItIs ? [new Map(variant.types)] : [])),
    );
    if (first && !own.later) {
      shared ??= new SharedConstants(first.c);
      own.later = { ...shared.share(own.c), buffers: shared.buffers, loads: first.loads };
    }
    const others = Object.entries(maxima).filter(([symbol]) => inTypes.has(symbol) && !sized.has(symbol));
    const most = Object.fromEntries(others.map(([symbol, size]) => [symbol, size || 1]));
    const plan = layOut(own, { ...given, maxima: most });
    if (!isPart) first ??= { c: own.c, loads: plan.loads };
    own.later ??= { same: new Map(), own: [], buffers: [], loads: plan.loads };
    const { inputs, outputs, taps } = plan;
    const misfit = firstMisfit(variant.types, own.types, sizes);
    if (misfit && !isTrial) throw misfit;
    const pauses = plan.pauses.map((pause) => ({
      ...pause,
      node: graph.nodes[own.graph.nodes.indexOf(pause.node)]!,
    }));
    return {
      ...plan,
      // Rows that are as many as something else that is fed are not cut: that would stay whole.
      ...(Object.values(equal).includes(plan.batch!) && { batch: undefined }),
      ...(isPart && {
        open: findsOf(variant, of.nodes.at(-1)!),
        results: graph.outputs.map((name) => ({ name, type: types.get(name)! })),
      }),
      sizes: { ...sizes, ...equal },
      misfit,
      pauses,
      inputs: inputs.map(told),
      outputs: outputs.map(told),
      taps: taps.map(told),
    };
  };
  /** As `planFor`, which may find that more sizes have to be numbers. */
  const plan = (variant: Variant, maxima: Bindings, isTrial: boolean, of = variant.graph): Plan => {
    const { sized, symbols } = variant;
    for (;;)
      try {
        return planFor(variant, maxima, of, isTrial);
      } catch (error) {
        const more = error instanceof SizesNeeded ? error.symbols : [];
        const added = more.filter((symbol) => symbols.has(symbol) && !sized.has(symbol));
        if (added.length === 0) throw error;
        for (const symbol of added) sized.add(symbol);
      }
  };
  /** Whether other sizes may be ones that the graph takes. */
  const mayFit = ({ sized }: Variant, maxima: Bindings, error: unknown): boolean =>
    [...sized].some((symbol) => maxima[symbol] === undefined) &&
    error instanceof OctetteError &&
    /^(graph|argument)$/.test(error.code);
  /** As `plan`, for the smallest power of two that the graph takes as sizes which are not given. */
  const tried = (variant: Variant, maxima: Bindings, of?: Graph<Constant>): Plan => {
    const { sized } = variant;
    for (let trial = 1; ; trial *= 2)
      try {
        const open = [...sized].filter((symbol) => maxima[symbol] === undefined);
        const trials = Object.fromEntries(open.map((symbol) => [symbol, trial]));
        return plan(variant, { ...trials, ...maxima }, open.length > 0, of);
      } catch (error) {
        if (trial >= MAX_TRIAL || !mayFit(variant, maxima, error)) throw error;
      }
  };
  return (most = {}, run = {}) => {
    const variant = variantFor(run);
    // There is room for at least 1 of what a run has none of, but where that has to be a number, it is 0.
    const maxima = { ...most, ...Object.fromEntries(Object.entries(run).filter(([, size]) => size === 0)) };
    try {
      return tried(variant, maxima);
    } catch (error) {
      const part = mayFit(variant, maxima, error) ? untilFound(variant, maxima) : undefined;
      if (!part) throw error;
      const { open = [], ...plan } = tried(variant, maxima, part);
      return { ...plan, open: open.filter((symbol) => maxima[symbol] === undefined) };
    }
  };
}

const NOTHING: Equal = {};

/** An error of the first value that has not the sizes that its symbols say, such as those of a Slice that a run lets end beyond its input. */
function firstMisfit(
  told: ReadonlyMap<string, ValueType>,
  own: ReadonlyMap<string, ValueType>,
  sizes: Bindings,
): OctetteError | undefined {
  const values = new Map<Dim, number | undefined>();
  const numberOf = (dim: Dim): number | undefined => {
    if (!values.has(dim)) {
      const isKnown = symbolsOf(dim).every((symbol) => Object.hasOwn(sizes, symbol));
      values.set(dim, isKnown ? evaluateDim(dim, sizes) : undefined);
    }
    return values.get(dim);
  };
  for (const [name, { shape }] of own)
    for (const [axis, dim] of (told.get(name)?.shape ?? []).entries()) {
      const is = shape[axis];
      if (typeof is !== "number" || dim === is) continue;
      const said = numberOf(dim);
      if (said !== undefined && said !== is)
        return new OctetteError("sizes that a run finds do not fit", {
          code: "argument",
          where: `value "${name}", axis ${axis}`,
          expected: `${is}`,
          got: `${dim} = ${said}`,
        });
    }
  return undefined;
}

/** The value of a key, made where it is not kept any more. The last ones that were asked for are. */
function recent<V>(all: Map<string, V>, key: string, most: number, make: () => V): V {
  const value = all.get(key) ?? make();
  all.delete(key);
  all.set(key, value);
  const [oldest] = all.keys();
  if (all.size > most) all.delete(oldest!);
  return value;
}

/** Symbols that a node finds, those aside that nothing mentions. */
const findsOf = ({ inTypes, sized }: Variant, { attributes }: Node) =>
  ((attributes.found ?? []) as readonly string[]).filter(
    (symbol) => inTypes.has(symbol) || sized.has(symbol),
  );

/** The nodes up to the first that finds a size which is not given, without outputs; undefined where none does. */
function untilFound(variant: Variant, maxima: Bindings): Graph<Constant> | undefined {
  const { graph } = variant;
  const last = graph.nodes.findIndex((node) =>
    findsOf(variant, node).some((symbol) => maxima[symbol] === undefined),
  );
  return last < 0 ? undefined : { ...graph, outputs: [], nodes: graph.nodes.slice(0, last + 1) };
}
