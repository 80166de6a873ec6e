// What a model is before it has memory.

import type { Graph } from "../graph/graph";
import type { Bindings } from "../graph/symbols";
import type { Constant } from "../graph/tensor";
import type { Plan } from "./plan";
import type { Threads } from "./threads";

/** What graphs within a graph are before they have memory; undefined where they can only be made for the sizes of a run. */
export type Bodies = ReadonlyMap<Graph<Constant>, Draft | undefined>;

/** Plans of a model, and who runs them. */
export interface Draft {
  /** For the maxima that it is loaded with. */
  readonly plan: Plan;
  /** For other ones. Throws where it takes too much memory beside what other graphs of the model have. */
  readonly planFor: (sizes: Bindings, run: Bindings, beside: number) => Plan;
  /** Threads that may share its steps, and why not more. */
  readonly threads: Threads;
  /** Those of graphs within the graph. */
  readonly bodies: Bodies | undefined;
}
