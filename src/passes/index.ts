// What is done to every imported graph before anything else looks at it: known things computed, layers folded into
// their neighbours, the exporters' ways of writing brought to one.

import type { Graph } from "../graph/graph";
import { verify } from "../graph/verify";
import type { ToolkitOps } from "../ops/infer";
import { foldConstants } from "./constant-fold";
import { foldBatchNorm, splitBatchNorm } from "./fold-batch-norm";
import { foldQuantization } from "./fold-quantization";
import { fuseActivations } from "./fuse-activations";
import { fuseBias } from "./fuse-bias";
import { generalForms } from "./general-forms";
import { joinIntegerProducts } from "./join-integer-products";
import { joinReshapes } from "./join-reshapes";
import { plainForms } from "./plain-forms";
import { removeDead } from "./remove-dead";
import { removeIdle } from "./remove-idle";
import { Room } from "./room";

/** What a pass makes of constants is counted in `room`. */
export type Pass = (graph: Graph, registry: ToolkitOps, room: Room) => Graph;

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
  removeDead,
];

/** Rounds until nothing changes; models take three or four. */
const MAX_ROUNDS = 16;
/** Nodes that all rounds together look at, the first ones aside: a model of more stays less simple. */
const MAX_VISITS = 2 ** 18;

/**
 * A graph that computes the same from the same inputs with fewer nodes. Names of inputs, outputs and of the nodes that
 * stay are kept. Running it again changes nothing.
 */
export function simplify(graph: Graph, registry: ToolkitOps, room = new Room(graph)): Graph {
  const settled = settle(graph, registry, room);
  const split = splitBatchNorm(settled, registry, room);
  const simple = split === settled ? settled : settle(split, registry, room);
  verify(simple, registry);
  return simple;
}

/** As `simplify`, for a graph that may have come quantized: it gets its integer layers. */
export function simplifyImported(graph: Graph, registry: ToolkitOps): Graph {
  const room = new Room(graph);
  const simple = simplify(graph, registry, room);
  const folded = foldQuantization(joinIntegerProducts(simple, registry, room), registry, room);
  return generalForms(folded === simple ? simple : simplify(folded, registry, room), registry);
}

function settle(graph: Graph, registry: ToolkitOps, room: Room): Graph {
  let current = graph;
  let visits = 0;
  for (let round = 0; round < MAX_ROUNDS && visits < MAX_VISITS; round++) {
    visits += current.nodes.length;
    const next = passes.reduce((before, pass) => pass(before, registry, room), current);
    if (next === current) break;
    current = next;
  }
  return current;
}
