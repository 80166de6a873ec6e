// Graphs that a caller passes: anyone may have written them, in plain JavaScript too.

import { OctetteError } from "../errors";
import type { Graph } from "../graph/graph";
import { arrayName, type Constant } from "../graph/tensor";
import { verify } from "../graph/verify";
import { checkClassNames } from "./classes";
import type { Registry } from "./infer";
import { checkAllReads } from "./reads";

/**
 * Checks a graph: the rules of graphs, the elements of its constants, that ops read all that its nodes say, and names of classes.
 * @throws OctetteError "graph" that names the node or value.
 */
export function checkGraph(graph: Graph<Constant>, registry: Registry): asserts graph is Graph {
  try {
    verify(graph);
  } catch (cause) {
    if (cause instanceof OctetteError) throw cause;
    throw new OctetteError("not a graph", {
      code: "graph",
      expected: "what importOnnx or readArtifact gives",
      got: (cause as Error).message,
    });
  }
  for (const [name, { dtype, data }] of graph.constants) {
    const where = `constant "${name}"`;
    if (!data)
      throw new OctetteError("the graph has no weights", {
        code: "graph",
        where,
        hint: "A loaded model keeps none: readArtifact(bytes).graph has them",
      });
    const kind = data[Symbol.toStringTag];
    if (kind === arrayName(dtype)) continue;
    throw new OctetteError("its elements are not of its dtype", {
      code: "graph",
      where,
      expected: dtype,
      got: kind,
    });
  }
  checkAllReads(graph, registry);
  checkClassNames(graph, registry);
}
