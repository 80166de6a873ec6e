// --normalize: how what is fed becomes a model's numbers, and what of that the artifact says.

import { type Dataset, type OpenOptions, openDataset } from "../data/index";
import { formatNormalize, type Graph, OctetteError, type Preprocessing, withPreprocessing } from "../index";
import type { Context, Values } from "./command";
import type { ModelFile } from "./open-model";
import { DATA_OPTIONS } from "./options";

/** Opens data as the options of a command say, and tells what was assumed. Labels are those of the model's classes, where it has names. */
export async function openData(
  source: string,
  { inputs, classes }: Pick<Graph, "inputs" | "classes">,
  values: Values<typeof DATA_OPTIONS>,
  { log, signal }: Context,
): Promise<Dataset> {
  const names = Object.keys(DATA_OPTIONS) as (keyof typeof DATA_OPTIONS)[];
  const {
    "window-label": windowLabel,
    "sample-rate": sampleRate,
    ...same
  } = Object.fromEntries(names.map((name) => [name, values[name]])) as Values<typeof DATA_OPTIONS>;
  const options: OpenOptions = { ...same, windowLabel, sampleRate };
  const data = await openDataset(source, inputs, { ...options, signal });
  log(...data.notes);
  if (data.targets) log(`${source}: labels are not all whole, so they are numbers to find, not classes`);
  return classes ? data.withClasses(classes) : data;
}

/**
 * The graph with what was given for its one float input. It is to normalize any numbers where one of the data sets held others than
 * bytes, else bytes.
 */
export function withNormalize(
  graph: Graph,
  normalize: Preprocessing | undefined,
  sets: readonly (Dataset | undefined)[] = [],
): Graph {
  if (!normalize) return graph;
  const [input, ...others] = graph.inputs.filter(({ dtype }) => dtype === "f32");
  if (!input || others.length > 0)
    throw new OctetteError("--normalize is for a model with one float input", {
      code: "argument",
      where: graph.name,
      got: `${input ? 1 + others.length : 0}`,
    });
  const applied = sets.map((set) => set?.preprocessing[input.name]);
  return withPreprocessing(graph, {
    preprocessing: { [input.name]: applied.find((one) => one?.of) ?? normalize },
  });
}

/** How a preprocessing makes numbers of numbers, whatever it applies to. */
export const formulaOf = (preprocessing: Preprocessing) =>
  formatNormalize({ ...preprocessing, of: "numbers" });

/** Throws where two models that are to be fed the same data normalize them in different ways. */
export function checkNormalization({ inputs }: Graph, other: ModelFile): void {
  for (const { name, preprocessing: own } of inputs) {
    const its = other.graph.inputs.find((input) => input.name === name)?.preprocessing;
    if (own && its && formulaOf(own) !== formulaOf(its))
      throw new OctetteError("normalizes differently", {
        code: "argument",
        where: `${other.path}, input "${name}"`,
        expected: formatNormalize(own),
        got: formatNormalize(its),
        hint: "Two models are compared on the same numbers: make both with the same --normalize",
      });
  }
}
