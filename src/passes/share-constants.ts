// Constants of graphs within a graph that have the same elements become one: exporters write the weights of a model anew in each branch.

import { everywhere } from "../graph/bodies";
import type { Graph } from "../graph/graph";
import { createSha256 } from "../graph/sha256";
import { bytesIn, type Tensor } from "../graph/tensor";

/** The same graph where no two are equal. */
export function shareConstants(graph: Graph): Graph {
  if (!graph.nodes.some(({ graphs }) => graphs)) return graph;
  const first = new Map<Tensor | string, Tensor>();
  const shared = (own: Tensor): Tensor => {
    const key = `${own.dtype} [${own.shape}] ${createSha256().update(bytesIn(own.data)).digest()}`;
    const same = first.get(key) ?? own;
    first.set(key, same).set(own, same);
    return same;
  };
  return everywhere(graph, (one) => {
    const constants = [...one.constants].map(([name, own]) => [name, first.get(own) ?? shared(own)] as const);
    const isSame = constants.every(([name, own]) => one.constants.get(name) === own);
    return isSame ? one : { ...one, constants: new Map(constants) };
  });
}
