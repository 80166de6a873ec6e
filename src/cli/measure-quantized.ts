// What octette quantize measures of the int8 model beside the float one: accuracy, and the noise of layers.

import { isLimit } from "../engine/limit";
import {
  type Dataset,
  type Evaluation,
  evaluate,
  type Graph,
  type LayerError,
  load,
  OctetteError,
} from "../index";
import { layerErrors } from "../report/layers";
import type { Context, Values } from "./command";
import { openData } from "./normalize";
import { loadForData } from "./open-model";
import type { DATA_OPTIONS } from "./options";

/** Samples to measure accuracy on. Opened before the work, so that a wrong name costs none. */
export async function openTest(
  source: string,
  graph: Graph,
  values: Values<typeof DATA_OPTIONS>,
  context: Context,
): Promise<Dataset> {
  const data = await openData(source, graph, values, context);
  if ((data.labels || data.targets) && data.count > 0) return data;
  throw new OctetteError("there is nothing to measure", {
    code: "argument",
    where: source,
    expected: "samples and a label for each",
    got: `${data.count} samples${data.labels ? "" : " without labels"}`,
    hint: "--labels says where labels are",
  });
}

/** Accuracy of the int8 model beside that of the float one. */
export async function measured(
  quantized: Graph,
  float: Graph,
  data: Dataset,
  maxBytes: number | undefined,
  { longCall, progress }: Context,
): Promise<Evaluation> {
  const model = await loadForData(quantized, { maxBytes });
  const against = await loadForData(float, { maxBytes });
  try {
    return await evaluate(model, data, { against, maxBytes, ...longCall });
  } finally {
    progress.end();
    model.dispose();
    against.dispose();
  }
}

/** Noise of the int8 model's layers against those of the float one, where memory allows. */
export async function noiseOf(
  quantized: Graph,
  float: Graph,
  data: Dataset,
  maxBytes: number | undefined,
  { signal, warn }: Context,
): Promise<readonly LayerError[] | undefined> {
  using model = await load(quantized, { maxBytes });
  using against = await load(float, { maxBytes });
  try {
    return await layerErrors(model, against, data, load, { signal, maxBytes });
  } catch (error) {
    if (!isLimit(error)) throw error;
    warn([
      `the report has no noise of layers, which takes the memory of all values at once: ${(error as Error).message}`,
    ]);
    return undefined;
  }
}
