// Master weights → the graph to deploy: the codes, scales and biases that the last step would compute, in the constants that held
// them before. Made by the functions of conversion, which the kernels of training equal to the bit.

import type { Graph } from "../../graph/graph";
import { type Tensor, tensor } from "../../graph/tensor";
import { sumScales } from "../../ops/codes";
import { quantizeBias, quantizeWeights, weightScales } from "../../ops/scheme";
import { inputScaleOf, type Parameter } from "./prepare";

/** The deployed graph with the numbers that its master weights have now. */
export function exported(
  graph: Graph,
  trained: readonly Parameter[],
  masters: ReadonlyMap<string, Float32Array>,
): Graph {
  const constants = new Map(graph.constants);
  const set = (name: string, data: Tensor["data"]) => {
    const { dtype, shape } = graph.constants.get(name)!;
    constants.set(name, tensor(dtype, shape, data));
  };
  const steps = new Map(
    trained.flatMap((p) => (p.kind === "step" ? [[p.coded!.codes, p.name] as const] : [])),
  );
  for (const { name, kind, coded } of trained) {
    const master = masters.get(name)!;
    if (!coded) set(name, master);
    else if (kind === "scale") {
      const scales = graph.constants.get(coded.scale)!.data;
      set(
        coded.scale,
        Float32Array.from(scales, (scale, c) => scale * master[c]!),
      );
    } else if (kind === "weight") {
      const inputScale = inputScaleOf(graph, coded);
      const bias = coded.bias === undefined ? undefined : masters.get(coded.bias);
      const scales =
        masters.get(steps.get(coded.codes) ?? "") ??
        weightScales(master, graph.constants.get(coded.scale)!.data.length, {
          limit: coded.limit,
          ...(inputScale === undefined ? {} : { inputScale }),
          ...(bias ? { bias } : {}),
        });
      set(coded.codes, quantizeWeights(master, scales, coded.limit));
      set(coded.scale, scales);
    }
  }
  for (const { name, kind, coded } of trained) {
    if (!coded || kind !== "bias") continue;
    const weights = constants.get(coded.scale)!.data as Float32Array;
    const sums = sumScales(inputScaleOf(graph, coded)!, weights);
    set(coded.codes, quantizeBias(masters.get(name)!, sums));
  }
  return { ...graph, constants };
}
