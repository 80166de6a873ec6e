// octette eval: how good a model is on data, and what it lost against another.

import { openDataset } from "../data/index";
import { formatNormalize, type Graph, type Input, load, OctetteError } from "../index";
import { type Evaluation, evaluate, formatDb, formatP, formatPercent, formatTable } from "../report/index";
import {
  byteCount,
  type Context,
  DATA_HELP,
  defineCommand,
  linesOf,
  MAX_BYTES_OPTION,
  THREADS_OPTION,
  toJson,
  UsageError,
  wholeNumber,
} from "./command";
import { checkNormalization, formulaOf, normalizeOf } from "./normalize";
import { loadForData, type ModelFile, noteFewer, noteThreads, openModel } from "./open-model";

export const evalCommand = defineCommand({
  name: "eval",
  summary: "accuracy, and what was lost against the float model",
  arguments: "MODEL --data DATA [--against FLOAT.onnx] [--layers] [options]",
  positionals: ["MODEL"],
  options: {
    data: { type: "string", value: "DATA", reads: true, help: "samples and their labels" },
    against: {
      type: "string",
      value: "MODEL",
      reads: true,
      help: "the model to compare with, usually the float one",
    },
    layers: { type: "boolean", help: "also the noise of every layer; needs --against" },
    normalize: {
      type: "string",
      value: "SPEC",
      help: "scale,mean,std[,nhwc], where the artifact does not carry it",
    },
    labels: {
      type: "string",
      value: "WHERE",
      reads: true,
      help: "array, column (first, last, a header) or file of the labels",
    },
    samples: { type: "string", value: "N", help: "only the first N samples" },
    threads: THREADS_OPTION,
    "max-bytes": MAX_BYTES_OPTION,
  },
  notes: [
    ...DATA_HELP,
    "",
    "In JSON: n, top1, against.top1, agreement, sqnrDb, mcnemarP and layers; percentages are 0..100; sqnrDb is null",
    "where the outputs are identical. mcnemarP is the exact two-sided p of the paired test.",
  ],
  examples: ["octette eval digits.octette --data test.npz --against digits.onnx --layers"],
  async run([path = ""], values, context) {
    const { data, layers = false, json } = values;
    if (!data) throw new UsageError("--data DATA is missing. See: octette eval --help");
    if (layers && !values.against)
      throw new UsageError("--layers needs --against MODEL: noise is measured between two models");
    const normalize = normalizeOf(values.normalize);
    const samples = wholeNumber("samples", values.samples, 1);
    const threads = wholeNumber("threads", values.threads, 1);
    const maxBytes = byteCount("max-bytes", values["max-bytes"]);
    const open = (graph: Graph) => loadForData(graph, { threads, maxBytes });
    const file = await openModel(path);
    const otherFile = values.against ? await openModel(values.against) : undefined;
    if (otherFile && !normalize) checkNormalization(file.graph, otherFile);
    const opened = await openDataset(data, mergeInputs(file.graph.inputs, otherFile), {
      ...(normalize ? { normalize } : {}),
      ...(values.labels ? { labels: values.labels } : {}),
    });
    for (const { preprocessing: own } of file.graph.inputs)
      if (own && normalize && formulaOf(own) !== formulaOf(normalize))
        context.log(
          `warning: --normalize is taken instead of ${formatNormalize(own)}, which the model carries`,
        );
    const dataset = samples === undefined ? opened : opened.take(samples);
    for (const note of dataset.notes) context.log(note);
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
      const result = await evaluate(
        model,
        dataset,
        {
          layers,
          maxBytes,
          signal: context.signal,
          onProgress: (done, total) => context.progress.update("evaluate", done, total),
          ...(against ? { against } : {}),
        },
        load,
      );
      context.progress.end();
      noteThreads(model, threads, context);
      context.print(json ? toJson(result) : linesOf(evaluationText(path, values.against, result, context)));
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
  result: Evaluation,
  { width }: Context,
): string {
  const wide = width === undefined ? {} : { width };
  const rows: string[][] = [[path, formatPercent(result.top1), `${result.n}`]];
  if (against) rows.push([against, formatPercent(result.against?.top1), `${result.n}`]);
  const lines = [
    formatTable(["model", "top-1", "samples"], rows, { ...wide, align: ["left", "right", "right"] }),
  ];
  if (against) {
    lines.push(
      "",
      `agreement    ${formatPercent(result.agreement)}`,
      `output SQNR  ${formatDb(result.sqnrDb)}`,
    );
    if (result.mcnemarP !== undefined)
      lines.push(
        `McNemar p    ${formatP(result.mcnemarP)}${result.mcnemarP < 0.05 ? " (significant at 5 %)" : " (no significant difference)"}`,
      );
  }
  if (result.layers)
    lines.push(
      "",
      formatTable(
        ["layer", "op", "SQNR"],
        result.layers.map((l) => [l.node, l.op, formatDb(l.sqnrDb)]),
        { ...wide, align: ["left", "left", "right"] },
      ),
    );
  return lines.join("\n");
}
