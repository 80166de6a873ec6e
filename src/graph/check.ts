// Graphs that a caller passes: anyone may have written them, in plain JavaScript too.

import { OctetteError } from "../errors";
import type { Graph } from "./graph";
import { arrayName, type Constant } from "./tensor";
import { verify } from "./verify";

/** Throws where it is no graph, breaks a rule of graphs, or lacks the elements of its constants. */
export function checkGraph(graph: Graph<Constant>): asserts graph is Graph {
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
      throw new OctetteError("the graph is without its weights", {
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
}
