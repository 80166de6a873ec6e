// Quantizing, as the toolkit exports it: what it takes is loaded with the first call.

import type { Graph } from "../graph/graph";
import type { Tensor } from "../graph/tensor";
import { type ToolkitOptions, toolkitIn } from "../toolkit/toolkit";
import type { QuantizeOptions, QuantizeSummary } from "./options";

export type { Batches } from "./calibrate";
export type { Histogram } from "./observer";
export type { LayerSummary, Override, QuantizeMode, QuantizeOptions, QuantizeSummary } from "./options";
export type { ChosenRange, Range, RangeChoice, RangeMethod } from "./range";

/** What `quantize` gives. */
export interface Quantized {
  readonly graph: Graph;
  /** Floats that weights and biases were before they became codes, by the constant that holds those: what tuning starts from. */
  readonly masters: ReadonlyMap<string, Tensor>;
  readonly summary: QuantizeSummary;
}

/** Quantizes a simplified float graph. Deterministic: the same graph, options and samples give the same bytes. */
export async function quantize(
  graph: Graph,
  options: QuantizeOptions & ToolkitOptions = {},
): Promise<Quantized> {
  const [toolkit, rest] = toolkitIn<QuantizeOptions>(options);
  const [{ quantizeWith }] = await Promise.all([import("./quantize-graph"), toolkit.preload()]);
  return quantizeWith(graph, rest, toolkit);
}
