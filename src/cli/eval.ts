// octette eval: how good a model is on data, and what it lost against another.

import { type Evaluation, evaluate, formatNormalize, type Graph, type Input, OctetteError } from "../index";
import { type Context, defineCommand } from "./command";
import { checkNormalization, formulaOf, openData } from "./normalize";
import { loadForData, type ModelFile, noteFewer, noteThreads, openModel } from "./open-model";
import {
  DATA_HELP,
  flag,
  LABELS_FROM,
  MAX_BYTES,
  NORMALIZE,
  THREADS,
  text,
  UsageError,
  wholeNumber,
} from "./options";
import { formatDb, formatP, formatPercent } from "./terminal";

export const evalCommand = defineCommand({
  name: "eval",
  summary: "measure accuracy, and compare with the float model",
  arguments: "MODEL --data DATA [--against FLOAT.onnx] [--layers] [options]",
  positionals: ["MODEL"],
  options: {
    data: { ...text("DATA", "samples and their labels"), reads: true, needed: "what should it be tried on?" },
    against: { ...text("MODEL", "the model to compare with, usually the float one"), reads: true },
    layers: flag("also the noise of every layer; needs --against"),
    normalize: { ...NORMALIZE, help: "scale,mean,std[,nhwc], where the artifact does not carry it" },
    labels: LABELS_FROM,
    samples: wholeNumber(1, "only the first N samples"),
    threads: THREADS,
    "max-bytes": MAX_BYTES,
  },
  notes: [
    DATA_HELP,
    "In JSON: n, top1, against.top1, agreement, sqnrDb, mcnemarP and layers; percentages are 0..100; sqnrDb is null where the outputs are identical. mcnemarP is the exact two-sided p of the paired test.",
  ],
  examples: ["octette eval digits.octette --data test.npz --against digits.onnx --layers"],
  async run([path = ""], values, context) {
    const { data, layers, normalize, samples, threads, "max-bytes": maxBytes } = values;
    if (layers && !values.against)
      throw new UsageError("--layers needs --against MODEL: noise is measured between two models");
    const open = (graph: Graph) => loadForData(graph, { threads, maxBytes });
    const file = await openModel(path, context);
    const otherFile = values.against ? await openModel(values.against, context) : undefined;
    if (otherFile && !normalize) checkNormalization(file.graph, otherFile);
    const opened = await openData(data, mergeInputs(file.graph.inputs, otherFile), values, context);
    for (const { preprocessing: own } of file.graph.inputs)
      if (own && normalize && formulaOf(own) !== formulaOf(normalize))
        context.warn([`--normalize is taken instead of ${formatNormalize(own)}, which the model carries`]);
    const dataset = samples === undefined ? opened : opened.take(samples);
    noteFewer(samples, opened.count, context);
    if (!dataset.labels && !otherFile)
      throw new OctetteError("there is nothing to measure", {
        code: "argument",
        where: data,
        expected: "labels, or another model to compare with",
        hint: "Add labels to the data, or --against MODEL",
      });
    const model = await open(file.graph);
    const against = otherFile && (await open(otherFile.graph));
    try {
      const result = await evaluate(model, dataset, { layers, maxBytes, against, ...context.longCall });
      context.progress.end();
      noteThreads(model, threads, context);
      context.print(result, () => evaluationText(path, values.against, result, context));
    } finally {
      model.dispose();
      against?.dispose();
    }
  },
});

/** Inputs with the preprocessing that either model carries; the one of any numbers where only one is. */
function mergeInputs(inputs: readonly Input[], against: ModelFile | undefined): Input[] {
  return inputs.map((input) => {
    const other = against?.graph.inputs.find(({ name }) => name === input.name)?.preprocessing;
    const preprocessing = other?.of ? other : (input.preprocessing ?? other);
    return preprocessing ? { ...input, preprocessing } : input;
  });
}

function evaluationText(
  path: string,
  against: string | undefined,
  { n, top1, agreement, sqnrDb, mcnemarP, layers, ...other }: Evaluation,
  { table }: Context,
): string[] {
  const rows = [[path, formatPercent(top1), `${n}`]];
  if (against) rows.push([against, formatPercent(other.against?.top1), `${n}`]);
  const lines = table(["model", "top-1", "samples"], rows, "lrr");
  if (against) lines.push("", `agreement    ${formatPercent(agreement)}`, `output SQNR  ${formatDb(sqnrDb)}`);
  if (mcnemarP !== undefined) {
    const verdict = mcnemarP < 0.05 ? "significant at 5 %" : "no significant difference";
    lines.push(`McNemar p    ${formatP(mcnemarP)} (${verdict})`);
  }
  const noise = layers?.map((layer) => [layer.node, layer.op, formatDb(layer.sqnrDb)]);
  if (noise) lines.push("", ...table(["layer", "op", "SQNR"], noise, "llr"));
  return lines;
}
