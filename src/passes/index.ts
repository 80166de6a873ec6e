// What is done to every imported graph before anything else looks at it: known things computed, layers folded into
// their neighbours, the exporters' ways of writing brought to one.

import type { Graph } from "../graph/graph";
import { verify } from "../graph/verify";
import type { Registry } from "../ops/infer";
import { foldConstants } from "./constant-fold";
import { foldBatchNorm, splitBatchNorm } from "./fold-batch-norm";
import { fuseActivations } from "./fuse-activations";
import { fuseBias } from "./fuse-bias";
import { fuseGlobalPool } from "./fuse-global-pool";
import { joinIntegerProducts } from "./join-integer-products";
import { joinReshapes } from "./join-reshapes";
import { markRegions } from "./mark-regions";
import { plainForms } from "./plain-forms";
import { removeDead } from "./remove-dead";
import { removeIdle } from "./remove-idle";

export type Pass = (graph: Graph, registry: Registry) => Graph;

/** In the order they run. Each returns its very graph when it has nothing to do. */
const passes: readonly Pass[] = [
  removeDead,
  foldConstants,
  removeDead,
  removeIdle,
  joinReshapes,
  plainForms,
  fuseBias,
  foldBatchNorm,
  fuseActivations,
  fuseGlobalPool,
  removeDead,
];

/** Rounds until nothing changes; models take three or four. */
const MAX_ROUNDS = 16;

/**
 * A graph that computes the same from the same inputs with fewer nodes. Names of inputs, outputs and of the nodes that
 * stay are kept. Running it again changes nothing.
 */
export function simplify(graph: Graph, registry: Registry): Graph {
  const settled = settle(graph, registry);
  const split = splitBatchNorm(settled, registry);
  const simple = split === settled ? settled : settle(split, registry);
  verify(simple, registry);
  return simple;
}

/** As `simplify`, for a graph that may have come quantized: its integer regions are marked. */
export function simplifyImported(graph: Graph, registry: Registry): Graph {
  const simple = simplify(graph, registry);
  const marked = markRegions(joinIntegerProducts(simple), registry);
  return marked === simple ? simple : simplify(marked, registry);
}

function settle(graph: Graph, registry: Registry): Graph {
  let current = graph;
  for (let round = 0; round < MAX_ROUNDS; round++) {
    const next = passes.reduce((before, pass) => pass(before, registry), current);
    if (next === current) break;
    current = next;
  }
  return current;
}
