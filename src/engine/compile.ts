// Graph → Plan: layouts are chosen and units lowered to kernel calls once; memory is laid out for the largest sizes, behind
// constants that lie the same for all sizes.

import { OctetteError } from "../errors";
import type { Graph, ValueType } from "../graph/graph";
import {
  addDims,
  type Bindings,
  type Dim,
  evaluateDim,
  formatShape,
  isMonotone,
  symbolsOf,
} from "../graph/symbols";
import type { Constant } from "../graph/tensor";
import { inferTypes, opOf, type Registry } from "../ops/infer";
import type { Address, Buffer, Layout, Unit } from "../ops/op";
import { SizesNeeded } from "../ops/sizes";
import { fuseAdditions } from "./additions";
import { batchOf } from "./batch";
import { chooseLayouts } from "./layouts";
import { checkMaxima, checkNeeds } from "./limit";
import { LoweringContext, type PendingLoad, WHILE_LOADING } from "./lowering";
import { align, findOverlap, planMemory } from "./memory";
import { type LoadGroup, type NamedNodes, type Need, type Plan, type PlannedValue, partOf } from "./plan";
import type { Sharing } from "./run-sizes/shared-constants";
import { unitsOf } from "./units";
import type { EngineClass } from "./wasm";

export interface CompileOptions {
  readonly registry: Registry;
  readonly engineClass: EngineClass;
  /** Largest value of each symbol, as a first plan has them; 1 where none is given. */
  readonly maxima?: Bindings | undefined;
  /** Whether other plans of the graph make more rows at a node that makes one in this plan; `one` is a symbol that is 1 in all of them. */
  readonly hasMore?: (node: string, one: string | undefined) => boolean;
  /** Values that can be read after a run, beside the outputs. */
  readonly taps?: readonly string[];
  /** Constants that steps write to: they have memory of their own, and nothing is loaded there. */
  readonly state?: readonly string[];
  /** Threads that may share a step; 1 where it is left out. */
  readonly threads?: number;
  /** All nodes of the graph, in their order; where it is left out, they are one entry, `run`. */
  readonly entries?: readonly NamedNodes[];
}

/** Product of the dimensions beside a 0: kernels walk them though there is nothing to do. */
export const MAX_EMPTY = 2 ** 16;

/** A graph in steps whose memory is not laid out. */
export interface Lowered {
  readonly graph: Graph<Constant>;
  readonly c: LoweringContext;
  readonly types: ReadonlyMap<string, ValueType>;
  readonly layouts: ReadonlyMap<string, Layout>;
  /** What holds each output as callers read it. */
  readonly outputs: readonly string[];
  readonly entries: Plan["entries"];
  readonly state: readonly string[];
  readonly batch: string | undefined;
  /** What it has in common with the first of several plans. */
  later?: Later | undefined;
}

/** Compiles a graph for the maxima of `options`. Throws an OctetteError that lists every operator without kernels, or tells a size below 0. */
export function compile(graph: Graph<Constant>, options: CompileOptions): Plan {
  const plan = layOut(lowerGraph(graph, options), options);
  const sizes = plan.needs.filter(({ kind }) => kind === "size");
  checkNeeds(sizes, plan.maxima);
  return plan;
}

/** Chooses layouts and lowers every unit once, for all rows of a batch at once where it `isWhole`. Throws SizesNeeded where a kernel takes a size as a number that is a symbol. */
export function lowerGraph(
  graph: Graph<Constant>,
  options: CompileOptions,
  types: Map<string, ValueType> = inferTypes(graph, options.registry),
  isWhole = false,
): Lowered {
  const { registry, taps = [], hasMore } = options;
  const state = [...(graph.states ?? []).map(({ name }) => name), ...(options.state ?? [])];
  const entries: readonly NamedNodes[] = options.entries ?? [{ name: "run", nodes: graph.nodes }];
  checkShapes(types);
  const units = unitsOf(graph, registry, types, new Set(taps));
  rejectUnlowerable(units, registry);
  const batch = isWhole ? undefined : batchOf(graph, types, registry);
  const fused = fuseAdditions(units, registry, types, new Set([...graph.outputs, ...taps]));
  const { tasks, layouts, outputs } = chooseLayouts(graph, entries, registry, fused, types);
  const untappable = taps.find((tap) => !layouts.has(tap));
  if (untappable !== undefined)
    throw new OctetteError(`"${untappable}" cannot be tapped: it has no memory of its own`, {
      code: "argument",
      where: "taps",
      expected: "inputs and computed values",
    });
  const c = new LoweringContext(
    {
      graph,
      registry,
      types,
      layouts,
      one: (options.maxima?.[batch!] ?? 1) === 1 ? batch : undefined,
      hasMore,
      kept: [...outputs, ...taps],
      state: new Set(state),
    },
    tasks.flat(),
  );
  for (const name of state) c.placeState(name);
  for (const input of graph.inputs) c.place(input.name);
  const ranges = Object.fromEntries(
    entries.map(({ name, repeats }, i) => [name, c.lowerEntry(tasks[i]!, repeats)] as const),
  );
  // An output that is a constant lies where those are.
  for (const value of outputs) if (graph.constants.has(value)) c.input(value);
  c.finish();
  // A part of the rows is not as many as another size.
  const isBound = ({ kind, dim, otherwise, elements }: Need) =>
    (kind !== "some" || elements === 1) && [dim, otherwise].flatMap(symbolsOf).includes(batch!);
  if (c.needed.some(isBound)) return lowerGraph(graph, options, undefined, true);
  return { graph, c, types, layouts, outputs, entries: ranges, state, batch };
}

/** Constants of a first plan, and what a later one has in common with it. */
interface Later extends Sharing {
  readonly buffers: readonly Buffer[];
  readonly loads: Plan["loads"];
}

/**
 * Lays out the memory of a lowered graph for maxima. A later plan of the same model has the constants of the first at the same
 * addresses.
 */
export function layOut(
  { graph, c, types, layouts, outputs, entries, state, batch, later }: Lowered,
  { engineClass, threads = 1, maxima: given = {}, taps = [] }: CompileOptions,
): Plan {
  const maxima = maximaOf(types, given);
  // A run for which a size is below 0 is refused by its needs.
  const most = (dim: Dim) => Math.max(0, evaluateDim(dim, maxima));
  const bytesOf = ({ bytes }: Buffer) => (typeof bytes === "function" ? bytes(most) : most(bytes));
  const { same, own = [], buffers: shared = [] } = later ?? {};
  const staging: Buffer = { area: "arena", bytes: c.stagingBytes, first: WHILE_LOADING, last: WHILE_LOADING };
  const all = [
    ...shared,
    ...c.buffers.filter((buffer) => !same?.has(buffer)),
    ...(own.length > 0 ? [staging] : []),
  ];
  const sized = new Map(all.map((buffer) => [buffer, { ...buffer, bytes: bytesOf(buffer) }]));
  const scratchBytes = threads > 1 ? align(Math.max(0, ...[...c.scratches].map(bytesOf))) : 0;
  const buffers = [...sized.values()];
  const map = planMemory(buffers, c.stagingBytes, (threads - 1) * scratchBytes);
  if (findOverlap(buffers, map))
    throw new OctetteError("the memory plan overlaps itself", { code: "engine", where: graph.name });
  const { addresses, arenaAt, constantsAt, ...sizes } = map;
  const placeOf = (buffer: Buffer) => addresses.get(sized.get(same?.get(buffer) ?? buffer)!);
  const resolve = (arg: Address | Dim): Dim =>
    typeof arg === "object" ? addDims(placeOf(arg.buffer) ?? placeOf(staging) ?? arenaAt, arg.offset) : arg;
  const planned = (value: string, name = value): PlannedValue => ({
    name,
    type: types.get(value)!,
    layout: layouts.get(value) ?? "plain",
    address: resolve(c.addressOf(value)),
  });
  const loadsOf = (pending: readonly PendingLoad[]): LoadGroup[] =>
    pending.map(({ copies, calls }) => ({
      copies: copies.map(({ to, ...content }) => ({ at: resolve(to) as number, ...content })),
      calls: calls.map((call) => ({ ...call, args: call.args.map(resolve) as number[] })),
    }));
  return {
    engineClass,
    threads,
    maxima,
    ...(batch === undefined ? {} : { batch }),
    inputs: graph.inputs.map(({ name }) => planned(name)),
    outputs: outputs.map((value, i) => planned(value, graph.outputs[i])),
    taps: taps.map((value) => planned(value)),
    state: state.map((value) => planned(value)),
    sizes: {},
    loads: later?.loads ?? loadsOf(c.loads),
    own: loadsOf(own),
    needs: c.needed,
    pauses: c.pauses.map(({ node, inputs, outputs }) => ({
      node,
      inputs: inputs.map((value) => planned(value)),
      outputs: outputs.map((value) => planned(value)),
    })),
    steps: c.steps.map(({ touched, ...step }) => ({
      ...step,
      args: step.args.map(resolve),
      bytes: Math.max(0, ...touched.map(bytesOf)) / Math.max(1, most(step.count ?? 1)),
    })),
    entries: { ...entries, ...partsOf(c) },
    memory: { ...sizes, scratchBytes },
  };
}

/** Entries of the steps between pauses. */
function partsOf({ pauses, steps }: LoweringContext): Plan["entries"] {
  if (pauses.length === 0) return {};
  const ends = [...pauses.map(({ at }) => at), steps.length];
  return Object.fromEntries(ends.map((to, i) => [partOf(i), { from: ends[i - 1] ?? 0, to }]));
}

/** Attributes of a damaged file can make any shape. */
function checkShapes(types: ReadonlyMap<string, ValueType>): void {
  for (const [value, { shape }] of types) {
    const where = `value "${value}"`;
    for (const dim of shape) {
      if (typeof dim === "string") {
        if (!isMonotone(dim)) throw new SizesNeeded(where, shape);
      } else if (!Number.isSafeInteger(dim) || dim < 0)
        throw new OctetteError("invalid dimension", {
          code: "graph",
          where,
          expected: "whole numbers below 2^53",
          got: formatShape(shape),
        });
    }
    if (!shape.includes(0)) continue;
    const steps = shape.reduce<number>((n, dim) => n * (typeof dim === "number" ? dim || 1 : 1), 1);
    if (steps > MAX_EMPTY)
      throw new OctetteError("a value without elements is too wide", {
        code: "limit",
        where,
        expected: `at most MAX_EMPTY = ${MAX_EMPTY} beside its 0`,
        got: formatShape(shape),
      });
  }
}

/** Every symbol of the graph with its largest value. */
function maximaOf(types: ReadonlyMap<string, ValueType>, given: Readonly<Record<string, number>>) {
  const maxima: Record<string, number> = Object.create(null);
  for (const { shape } of types.values())
    for (const symbol of shape.flatMap(symbolsOf))
      maxima[symbol] = Object.hasOwn(given, symbol) ? given[symbol]! : 1;
  checkMaxima(given, -Infinity);
  return maxima;
}

function rejectUnlowerable(units: readonly Unit[], registry: Registry): void {
  const missing = units.filter(({ node, integer }) => {
    const op = opOf(registry, node.op, node.name);
    return integer ? !op.lowerInteger : !op.lower && !op.act;
  });
  if (missing.length === 0) return;
  throw new OctetteError("no kernels for these nodes", {
    code: "unsupported",
    got: missing
      .map(({ node, integer }) => `${node.op} "${node.name}"${integer ? " (integer)" : ""}`)
      .join(", "),
    hint: "Their inputs must be known before a run",
  });
}
