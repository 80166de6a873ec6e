// octette's export to ONNX, loaded by whoever calls exportOnnx.

import { writeOnnx } from "../formats/onnx/export";
import type { Graph } from "../graph/graph";
import { foundBy } from "../ops/act";
import { checkGraph } from "../ops/check-graph";
import { inferTypes } from "../ops/infer";
import type { Toolkit } from "./toolkit";

/** The bytes of an ONNX model of a graph. */
export function onnxOf(graph: Graph, { ops }: Toolkit): Uint8Array<ArrayBuffer> {
  checkGraph(graph, ops);
  return writeOnnx(factsOf(graph, ops));
}

function factsOf(graph: Graph, ops: Toolkit["ops"]): Parameters<typeof writeOnnx>[0] {
  const types = inferTypes(graph, ops);
  return {
    graph,
    types,
    parametersOf: (op) => ops[op]?.parameters ?? {},
    foundBy: (node) => {
      const inputs = node.inputs.map((value) => types.get(value));
      return foundBy(node, ops[node.op]?.finds?.(node, inputs));
    },
    within: (body) => factsOf(body, ops),
  };
}
