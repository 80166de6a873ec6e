// Plans of one graph for larger and smaller maxima: it is lowered once, and only its arena differs. What more sizes need is
// loaded where a model has them: engine/run-sizes.

import type { Graph } from "../graph/graph";
import { type DimFunctions, provideDimFunctions, RunSizesNeeded, symbolsOf } from "../graph/symbols";
import type { Constant } from "../graph/tensor";
import { inferTypes } from "../ops/infer";
import { SizesNeeded } from "../ops/sizes";
import { type CompileOptions, layOut, lowerGraph } from "./compile";
import type { Planner } from "./plan";
import type { Acts, draftsOf } from "./run-sizes/acts";
import type { goOn } from "./run-sizes/own-constants";
import type { GrowingRoom } from "./run-sizes/room";

/** What models need whose sizes only a run knows. */
export interface RunSizes {
  /** @internal */
  readonly dimFunctions: DimFunctions;
  /**
   * Plans for each value of the sizes that kernels take as numbers.
   * @internal
   */
  plannerOf(graph: Graph<Constant>, options: CompileOptions): Planner;
  /**
   * Drafts of graphs within a graph.
   * @internal
   */
  readonly draftsOf: typeof draftsOf;
  /**
   * Runs plans in which the host acts between steps.
   * @internal
   */
  readonly Acts: typeof Acts;
  /**
   * Makes plans with room for sizes that grow.
   * @internal
   */
  readonly GrowingRoom: typeof GrowingRoom;
  /**
   * Goes on with plans that have constants of their own.
   * @internal
   */
  readonly goOn: typeof goOn;
}

/** Code and no state: the same for all models, from the first that needs it on. */
let provided: RunSizes | undefined;

/** Lets plans have sizes that only a run knows. A script bundled without that code gives undefined: nothing changes. */
export function provideRunSizes(all: RunSizes | undefined): void {
  if (!all) return;
  provided = all;
  provideDimFunctions(all.dimFunctions);
}

/** Calls `make` as a script bundled without that code would. */
export function withoutRunSizes<T>(make: () => T): T {
  const all = provided;
  provided = undefined;
  provideDimFunctions(undefined);
  try {
    return make();
  } finally {
    provideRunSizes(all);
  }
}

/** Makes something of a graph: where its sizes turn out to be known by a run alone, once more when what those need is loaded. */
export async function withRunSizes<T>(
  make: () => T | Promise<T>,
  load: (() => Promise<void>) | undefined,
): Promise<T> {
  try {
    return await make();
  } catch (error) {
    if (!(error instanceof RunSizesNeeded && load)) throw error;
    await load();
    return make();
  }
}

/** What makes plans with room for sizes that grow, where it is loaded. */
export const newRoom = (): GrowingRoom | undefined => provided && new provided.GrowingRoom();

/** What models need whose sizes only a run knows. Throws RunSizesNeeded where it is not loaded. */
export function loadedRunSizes(): RunSizes {
  if (provided) return provided;
  throw new RunSizesNeeded();
}

export function plannerOf(graph: Graph<Constant>, options: CompileOptions): Planner {
  const types = inferTypes(graph, options.registry);
  const symbols = new Set([...types.values()].flatMap(({ shape }) => shape.flatMap(symbolsOf)));
  try {
    const lowered = lowerGraph(graph, options, types);
    if (lowered.c.pauses.length === 0)
      return (given = {}) => {
        const maxima = Object.entries(given).filter(([symbol]) => symbols.has(symbol));
        const plan = layOut(lowered, { ...options, maxima: Object.fromEntries(maxima) });
        lowered.later ??= { same: new Map(), own: [], buffers: [], loads: plan.loads };
        return plan;
      };
  } catch (error) {
    if (!(error instanceof SizesNeeded)) throw error;
  }
  return loadedRunSizes().plannerOf(graph, options);
}
