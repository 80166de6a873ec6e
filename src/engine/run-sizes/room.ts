// Room for sizes that grow from run to run, so that few of the runs need a new plan.

import type { Bindings } from "../../graph/symbols";
import { isFor, type Plan, type Planner } from "../plan";

/** Times a size that there is room for where it grows. */
const ROOM = 2;

export class GrowingRoom {
  /** Symbols of sizes that a run had more of than there was room for. */
  readonly #grown = new Set<string>();
  /** Whether there is memory for more than a run needs. */
  #isThere = true;

  /** A plan with room for more of sizes that grew before, too; undefined where none did, or memory is too small. `last` is the plan of the last run. */
  planFor(sizes: Bindings, run: Bindings, last: Plan, planFor: Planner): Plan | undefined {
    const roomy: Record<string, number> = { ...sizes };
    let hasMore = false;
    for (const [symbol, size] of Object.entries(sizes)) {
      const most = last.maxima[symbol] ?? size;
      if (symbol in last.sizes) continue;
      if (this.#grown.has(symbol)) {
        roomy[symbol] = ROOM * size;
        hasMore ||= size > most;
      } else if (size > most) this.#grown.add(symbol);
      else if (most <= ROOM * size) roomy[symbol] = most;
    }
    try {
      const plan = hasMore && this.#isThere ? planFor(roomy, run) : undefined;
      return plan && isFor(plan, sizes) ? plan : undefined;
    } catch {
      this.#isThere = false;
      return undefined;
    }
  }
}
