// What is done to every imported graph before anything else looks at it: known things computed, layers folded into
// their neighbours, the exporters' ways of writing brought to one.

import { everywhere, withBodies } from "../graph/bodies";
import type { Graph } from "../graph/graph";
import { verify } from "../graph/verify";
import type { ToolkitOps } from "../ops/infer";
import { Room } from "../rewrite/room";
import { tightened } from "./bodies";
import { foldConstants } from "./constant-fold";
import { foldBatchNorm, splitBatchNorm } from "./fold-batch-norm";
import { foldQuantization } from "./fold-quantization/fold-quantization";
import { fuseActivations } from "./fuse-activations";
import { fuseBias } from "./fuse-bias";
import { generalForms } from "./general-forms";
import { joinIntegerProducts } from "./join-integer-products";
import { joinReshapes } from "./join-reshapes";
import { plainForms } from "./plain-forms";
import { removeDead } from "./remove-dead";
import { removeIdle } from "./remove-idle";
import { shareConstants } from "./share-constants";

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
  simplifyBodies,
  removeDead,
];

/** Rounds until nothing changes; models take three or four. */
const MAX_ROUNDS = 16;

/** Graphs within the graph, simplified. */
function simplifyBodies(graph: Graph, registry: ToolkitOps, room: Room): Graph {
  const nodes = graph.nodes.map((node) => {
    const simple = withBodies(node, (body) => settle(body, registry, room));
    return tightened(simple, registry, graph.constants);
  });
  return nodes.every((node, i) => node === graph.nodes[i]) ? graph : { ...graph, nodes };
}

/**
 * A graph that computes the same from the same inputs with fewer nodes. Names of inputs, outputs and of the nodes that
 * stay are kept. Running it again changes nothing.
 */
export function simplify(graph: Graph, registry: ToolkitOps, room = new Room(graph)): Graph {
  const settled = settle(graph, registry, room);
  const split = everywhere(settled, (one) => splitBatchNorm(one, registry, room));
  const simple = split === settled ? settled : settle(split, registry, room);
  verify(simple, registry);
  return simple;
}

/** As `simplify`, for a graph that may have come quantized: it gets its integer layers. */
export function simplifyImported(graph: Graph, registry: ToolkitOps): Graph {
  const room = new Room(graph);
  const simple = simplify(graph, registry, room);
  const folded = everywhere(simple, (one) =>
    foldQuantization(joinIntegerProducts(one, registry, room), registry, room),
  );
  const settled = folded === simple ? simple : simplify(folded, registry, room);
  return shareConstants(everywhere(settled, (one) => generalForms(one, registry)));
}

function settle(graph: Graph, registry: ToolkitOps, room: Room): Graph {
  let current = graph;
  for (let round = 0; round < MAX_ROUNDS && room.visit(current.nodes.length); round++) {
    const next = passes.reduce((before, pass) => pass(before, registry, room), current);
    if (next === current) break;
    current = next;
  }
  return current;
}
