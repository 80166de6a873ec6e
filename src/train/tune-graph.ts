// Fine-tuning, once it is asked for: options are checked, and a float model is quantized first.

import type { Dataset } from "../data/dataset";
import { OctetteError } from "../errors";
import { type Graph, isQuantized } from "../graph/graph";
import { checkGraph } from "../ops/check-graph";
import { nameBySamples, nameClasses } from "../ops/classes";
import { checkOptions, type Names } from "../options";
import { coverNumbers } from "../passes/cover-numbers";
import type { quantizeWith } from "../quantize/quantize-graph";
import type { Toolkit } from "../toolkit/toolkit";
import type { TuneOptions } from "./index";
import { train } from "./inlined";
import { tuneWith } from "./run/tune";
import { checkTuneOptions, TUNE, type TuneDeployedOptions, type Tuned } from "./run/tune-options";

const NAMES = { ...TUNE, bits: 1, classes: 1 } satisfies Names<TuneOptions>;

const isDataset = (data: unknown): data is Dataset => typeof Object(data).withClasses === "function";

/** Samples that show a float model's ranges. */
const CALIBRATION = 512;

/** Quantizes a float graph, and tunes it with the ops and the engine of a toolkit. */
export async function tuneGraph(
  graph: Graph,
  own: TuneOptions,
  toolkit: Toolkit,
  quantize: typeof quantizeWith,
): Promise<Tuned> {
  checkOptions("tune", own, NAMES);
  const { teacher, bits, classes, ...given } = own;
  checkTuneOptions(given as TuneDeployedOptions);
  checkGraph(graph, toolkit.ops);
  if (typeof own.data?.sample !== "function")
    throw new OctetteError("there are no samples", {
      code: "argument",
      where: "tune",
      expected: "data: a data set",
      got: typeof own.data,
      hint: "openDataset(file, graph.inputs) makes one",
    });
  toolkit.carry({ train });
  const covered = nameClasses(coverNumbers(graph, own.data.preprocessing), classes, toolkit.ops);
  const model = nameBySamples(covered, own.data, toolkit.ops);
  const as = <T>(data: T | Dataset): T | Dataset =>
    model.classes && isDataset(data) ? data.withClasses(model.classes) : data;
  const rest = { ...given, data: as(given.data) as Dataset, validation: as(given.validation) };
  const isFloat = !model.nodes.some(isQuantized);
  const isOwn = teacher === undefined || teacher === "float";
  const other = isOwn || teacher === "none" ? undefined : teacher;
  if (!isFloat || bits === "float") return tuneWith(model, { ...rest, teacher: other }, toolkit);
  const calibration = rest.data.sample(CALIBRATION, own.seed ?? 0).batches(32);
  const quantized = await quantize(
    model,
    {
      calibration,
      maxBytes: own.maxBytes,
      signal: own.signal,
      onProgress: own.onProgress,
      ...(bits === undefined ? {} : { bits }),
    },
    toolkit,
  );
  const { masters } = quantized;
  return tuneWith(quantized.graph, { ...rest, teacher: isOwn ? model : other, masters }, toolkit);
}
