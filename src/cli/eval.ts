// octette eval: how good a model is on data, and what it lost against another.

import { formatShape } from "../graph/symbols";
import {
  type Evaluation,
  evaluate,
  formatNormalize,
  type Graph,
  type Input,
  type LayerError,
  load,
  OctetteError,
} from "../index";
import { labelName } from "./classes";
import { COLUMNS, type Context, defineCommand } from "./command";
import { checkNormalization, formulaOf, openData } from "./normalize";
import { loadForData, type ModelFile, noteFewer, noteThreads, openModel } from "./open-model";
import { DATA_HELP, DATA_OPTIONS, flag, MAX_BYTES, THREADS, text, UsageError, wholeNumber } from "./options";
import { REPORT, writeReport } from "./report";
import { formatDb, formatP, formatPercent, wrap } from "./terminal";

export const evalCommand = defineCommand({
  name: "eval",
  summary: "measure accuracy, and compare with the float model",
  arguments: "MODEL --data DATA [--against FLOAT.onnx] [--layers] [options]",
  positionals: ["MODEL"],
  options: {
    data: { ...text("DATA", "samples and their labels"), reads: true, needed: "what should it be tried on?" },
    against: { ...text("MODEL", "the model to compare with, usually the float one"), reads: true },
    layers: flag("also the noise of every layer; needs --against"),
    ...DATA_OPTIONS,
    normalize: { ...DATA_OPTIONS.normalize, help: "SPEC, where the artifact does not carry it" },
    report: REPORT,
    all: flag("every class and layer, not only those that need attention"),
    samples: wholeNumber(1, "only the first N samples"),
    threads: THREADS,
    "max-bytes": MAX_BYTES,
  },
  notes: [
    DATA_HELP,
    "In JSON: n, top1, top5 (of more than five classes), byClass, confusions, meanSquaredError and meanAbsoluteError (of one output), against, agreement, sqnrDb, mcnemarP and layers; percentages are 0..100; sqnrDb is null where the outputs are identical. mcnemarP is the exact two-sided p of the paired test.",
  ],
  examples: ["octette eval digits.octette --data test.npz --against digits.onnx --layers"],
  async run([path = ""], values, context) {
    const { data, layers, normalize, samples, threads, "max-bytes": maxBytes } = values;
    if (layers && !values.against)
      throw new UsageError("--layers needs --against MODEL: noise is measured between two models");
    const open = (graph: Graph) => loadForData(graph, { threads, maxBytes });
    if (values.report) await context.checkOutput(values.report);
    const file = await openModel(path, context);
    const otherFile = values.against ? await openModel(values.against, context) : undefined;
    if (otherFile) checkInputs(file.graph, otherFile);
    if (otherFile && !normalize) checkNormalization(file.graph, otherFile);
    const opened = await openData(
      data,
      { ...file.graph, inputs: mergeInputs(file.graph.inputs, otherFile) },
      values,
      context,
    );
    for (const { preprocessing: own } of file.graph.inputs)
      if (own && normalize && formulaOf(own) !== formulaOf(normalize))
        context.warn([`--normalize is taken instead of ${formatNormalize(own)}, which the model carries`]);
    if (!file.graph.classes && opened.classes) context.log(numbered(opened.classes));
    const dataset = samples === undefined ? opened : opened.take(samples);
    noteFewer(samples, opened.count, context);
    if (dataset.count === 0)
      throw new OctetteError("there is nothing to measure", {
        code: "argument",
        where: data,
        expected: "samples",
        got: "none",
      });
    if (!dataset.labels && !dataset.targets && !otherFile)
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
      if (values.report) {
        const one = await load(file.graph, { maxBytes });
        const facts: [string, string][] = [
          ["model", path],
          ["data", data],
        ];
        if (values.against) facts.push(["compared with", values.against]);
        const names = values.against ? ([path, values.against] as const) : ([path] as const);
        const noise = result.layers && { layers: result.layers, data };
        await writeReport(
          values.report,
          { graph: file.graph, model: one, facts, evaluation: result, noise, names },
          context,
        );
        one.dispose();
      }
      const classes = file.graph.classes ?? dataset.classes;
      const about = { path, against: values.against, classes, all: values.all ?? false };
      context.print(result, () => evaluationText(about, result, context));
    } finally {
      model.dispose();
      against?.dispose();
    }
  },
});

/** Classes whose numbers are told. */
const MOST_NUMBERED = 12;

/** In which order the classes of data have numbers, which is what a model without names is measured by. */
function numbered(classes: readonly string[]): string {
  const told = classes.slice(0, MOST_NUMBERED).map((name, i) => `${i} ${name}`);
  if (classes.length > MOST_NUMBERED) told.push(`… ${classes.length - 1} ${classes.at(-1)}`);
  return `The model has no names of classes. Labels are numbered in the order of the data's: ${told.join(", ")}.`;
}

/** Throws where two models do not take the same inputs. */
function checkInputs({ inputs }: Graph, other: ModelFile): void {
  const textOf = (all: readonly Input[]) =>
    all.map(({ name, dtype, shape }) => `"${name}" ${dtype} ${formatShape(shape)}`).join(", ");
  const isSame =
    inputs.length === other.graph.inputs.length &&
    inputs.every(({ name }) => other.graph.inputs.some((input) => input.name === name));
  if (isSame) return;
  throw new OctetteError("has other inputs", {
    code: "argument",
    where: other.path,
    expected: textOf(inputs),
    got: textOf(other.graph.inputs),
    hint: "Two models are compared on the same samples: export both with inputs of the same names",
  });
}

/** Inputs with the preprocessing that either model carries; the one of any numbers where only one is. */
function mergeInputs(inputs: readonly Input[], against: ModelFile | undefined): Input[] {
  return inputs.map((input) => {
    const other = against?.graph.inputs.find(({ name }) => name === input.name)?.preprocessing;
    const preprocessing = other?.of ? other : (input.preprocessing ?? other);
    return preprocessing ? { ...input, preprocessing } : input;
  });
}

interface About {
  readonly path: string;
  readonly against: string | undefined;
  readonly classes: readonly string[] | undefined;
  /** Whether every row of a table is asked for. */
  readonly all: boolean;
}

export function evaluationText(about: About, evaluation: Evaluation, context: Context): string[] {
  const { path, against } = about;
  const { agreement, sqnrDb, mcnemarP, layers } = evaluation;
  const lines = scoresTable(path, against, evaluation, context);
  if (against) lines.push("", `agreement    ${formatPercent(agreement)}`, `output SQNR  ${formatDb(sqnrDb)}`);
  if (mcnemarP !== undefined) {
    const verdict = mcnemarP < 0.05 ? "significant at 5 %" : "no significant difference";
    lines.push(`McNemar p    ${formatP(mcnemarP)} (${verdict})`);
  }
  return [
    ...lines,
    ...classesText(about, evaluation, context),
    ...(layers ? layersText(about, layers, context) : []),
  ];
}

function scoresTable(
  path: string,
  against: string | undefined,
  { n, against: other, ...own }: Evaluation,
  { table }: Context,
): string[] {
  const columns = [
    ["top-1", "top1", formatPercent],
    ["top-5", "top5", formatPercent],
    ["mean squared error", "meanSquaredError", (value?: number) => value?.toPrecision(4) ?? "–"],
    ["mean absolute error", "meanAbsoluteError", (value?: number) => value?.toPrecision(4) ?? "–"],
  ] as const;
  const shown = columns.filter(
    ([name, key]) => own[key] !== undefined || (name === "top-1" && own.meanSquaredError === undefined),
  );
  const row = (name: string, values: NonNullable<Evaluation["against"]>) => [
    name,
    ...shown.map(([, key, format]) => format(values[key])),
    `${n}`,
  ];
  const rows = [row(path, own), ...(against ? [row(against, other ?? {})] : [])];
  return table(
    ["model", ...shown.map(([name]) => name), "samples"],
    rows,
    `l${"r".repeat(shown.length + 1)}`,
  );
}

/** Rows of classes and of layers that are shown, the worst first. */
const [WORST_CLASSES, WORST_LAYERS] = [5, 12];

function classesText(
  { classes, all }: About,
  { byClass = [], confusions = [] }: Evaluation,
  { table }: Context,
): string[] {
  if (confusions.length === 0 && !all) return [];
  const nameOf = (label: number) => labelName(label, classes);
  const most = (label: number) => confusions.find((one) => one.label === label);
  const worst = [...byClass].sort((a, b) => a.top1 - b.top1 || a.label - b.label);
  const shown = all ? worst : worst.filter(({ top1 }) => top1 < 100).slice(0, WORST_CLASSES);
  const rows = shown.map(({ label, n, top1 }) => {
    const taken = most(label);
    return [
      nameOf(label),
      formatPercent(top1, 1),
      `${n}`,
      taken ? `${nameOf(taken.chosen)} (${taken.n})` : "",
    ];
  });
  return [
    "",
    ...table([all ? "class" : "worst classes", "top-1", "samples", "mostly taken for"], rows, "lrrl"),
  ];
}

/** Layers whose noise is not told apart from that of 8 bits everywhere. */
const FINE_DB = 30;

function layersText({ path, all }: About, layers: readonly LayerError[], { table }: Context): string[] {
  const worst = [...layers].sort((a, b) => a.sqnrDb - b.sqnrDb);
  const shown = all ? worst : worst.slice(0, WORST_LAYERS);
  const left = layers.length - shown.length;
  const [first] = worst;
  const next =
    first && first.sqnrDb < FINE_DB
      ? `Noisiest: ${first.node}. Quantize with --skip "${first.node}" to keep it float, or fine-tune: octette tune ${path} --data TRAIN -o tuned.octette`
      : `No layer is noisier than ${FINE_DB} dB.`;
  return [
    "",
    ...table(
      ["noisiest layers", "op", "SQNR"],
      shown.map(({ node, op, sqnrDb }) => [node, op, formatDb(sqnrDb)]),
      "llr",
    ),
    ...(left > 0 ? [`… and ${left} with less noise (--all shows them)`] : []),
    "",
    ...wrap(next, COLUMNS),
  ];
}
