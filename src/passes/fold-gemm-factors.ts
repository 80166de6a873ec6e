// Gemm's factors belong into its constants: alpha · x·W + beta · b is x·(alpha · W) + (beta · b). Kernels know no factors.

import type { Graph } from "../graph/graph";
import type { Tensor } from "../graph/tensor";
import { numberOf } from "../ops/op";
import { Rewrite } from "./rewrite";

export function foldGemmFactors(graph: Graph): Graph {
  const rewrite = new Rewrite(graph);
  for (const node of graph.nodes) {
    if (node.op !== "Gemm" || node.region !== undefined) continue;
    const [alpha, beta] = [numberOf(node, "alpha", 1), numberOf(node, "beta", 1)];
    if (alpha === 1 && beta === 1) continue;
    const [x, w, b = ""] = node.inputs as [string, string, string?];
    const [weights, bias] = [rewrite.constant(w), rewrite.constant(b)];
    if (!weights || (b !== "" && !bias)) continue;
    const inputs = [x, rewrite.hold(w, scaled(weights, alpha))];
    if (bias) inputs.push(rewrite.hold(b, scaled(bias, beta)));
    const { alpha: _alpha, beta: _beta, ...attributes } = node.attributes;
    rewrite.replace(node, { ...node, inputs, attributes });
  }
  return rewrite.done();
}

const scaled = ({ dtype, shape, data }: Tensor, factor: number): Tensor => ({
  dtype,
  shape,
  data: Float32Array.from(data, (value) => Math.fround(value * Math.fround(factor))),
});
