// octette quantize: a float model file becomes an int8 artifact, and the summary says what was done and what not. Language models
// have a way of their own (quantize-language.ts).

import { stat } from "node:fs/promises";
import { dirname } from "node:path";
import {
  type Dataset,
  type Graph,
  load,
  OctetteError,
  type QuantizeOptions,
  quantize,
  readArtifact,
  save,
} from "../index";
import { namedBySamples, withNames } from "./classes";
import { type Context, defineCommand } from "./command";
import { evaluationText } from "./eval";
import { isLanguageSource } from "./language";
import { measured, noiseOf, openTest } from "./measure-quantized";
import { openData, withNormalize } from "./normalize";
import { openModel } from "./open-model";
import {
  BITS,
  CLASSES,
  choice,
  DATA_HELP,
  DATA_OPTIONS,
  flag,
  MAX_BYTES,
  output,
  POOLING,
  SEED,
  THREADS,
  text,
  UsageError,
  wholeNumber,
} from "./options";
import { nextSteps, type SavedSizes, summaryText } from "./quantize-summary";
import { REPORT, writeReport } from "./report";
import { type SeenRange, seenRange } from "./seen-range";
import { formatBytes } from "./terminal";

/** Samples of the calibration data that are used unless --samples says otherwise. */
const SAMPLES = 512;
/** Samples that run at once while calibrating. */
const BATCH = 32;

export const quantizeCommand = defineCommand({
  name: "quantize",
  summary: "quantize a float model to int8, a language model to int8 or int4",
  arguments: "MODEL -o OUT.octette [--calibrate DATA] [options]",
  positionals: ["MODEL"],
  options: {
    output: output("artifact"),
    calibrate: {
      ...text("DATA", "calibration samples; of a language model a text, ids (.npy), or self (default)"),
      reads: true,
    },
    weights: {
      ...text("FILE", "language models: a safetensors file in place of the folder's"),
      reads: true,
    },
    large: flag("language models of 4 bits: down projections of 8 bits"),
    eval: {
      ...text(
        "DATA",
        "samples and labels to measure both models on; of a language model a text or ids (.npy)",
      ),
      reads: true,
    },
    threads: { ...THREADS, help: "language models: threads to work on (default: the cores, at most 4)" },
    context: wholeNumber(
      1,
      "language models: most tokens of a text, where the rotary embedding depends on it",
    ),
    pooling: POOLING,
    samples: wholeNumber(1, `how many of them, picked by --seed (default ${SAMPLES})`),
    ...DATA_OPTIONS,
    labels: {
      ...DATA_OPTIONS.labels,
      help: "column (first, last, a header) or file of labels, to leave out; of a folder, a CSV of files",
    },
    classes: CLASSES,
    bits: BITS,
    mode: choice("MODE", ["static", "dynamic"], "static (default) or dynamic, which needs no data"),
    naive: flag("per tensor, min/max, nothing else: for comparison"),
    range: choice(
      "HOW",
      ["auto", "minmax", "percentile", "mse"],
      "how ranges of activations are found: auto (default), minmax, percentile or mse",
    ),
    only: text("OPS", "quantize these operators only, such as Linear"),
    skip: {
      ...text("PATTERN", "keep matching nodes float (* matches anything; may be repeated)"),
      multiple: true,
    },
    report: REPORT,
    all: flag("every node, not only those that stay float"),
    seed: SEED,
    force: flag("write even over an input, if a name matches nothing, or if int8 saves nothing"),
    "max-bytes": MAX_BYTES,
  },
  notes: [
    "MODEL is a file in ONNX or TensorFlow Lite format. A language model is a folder of Hugging Face or a GGUF file: it takes --bits 8 (default) or 4, --calibrate, --weights, --large, --naive, --eval, --context, --pooling, --seed and --threads.",
    "If DATA are bytes, the artifact normalizes bytes only. If DATA are other numbers, such as sensor readings, or SPEC ends in numbers, it normalizes all inputs.",
    DATA_HELP,
  ],
  examples: [
    "octette quantize digits.onnx --calibrate train.npz --normalize 1/16,0,1 --eval test.npz -o digits.octette",
    "octette quantize net.onnx --calibrate photos --resize 256 --crop 224 --normalize imagenet -o net.octette",
    "octette quantize digits.onnx --calibrate train.npz --normalize 1/16,0,1 --bits 4 -o digits4.octette",
    "octette quantize mlp.onnx --mode dynamic -o mlp.octette",
    "octette quantize SmolLM2-135M --bits 4 -o smol.octette",
  ],
  async run([path = ""], values, context) {
    const { output, calibrate, naive = false, normalize, only, range, seed = 0, force = false } = values;
    const { mode = "static", bits, skip, samples = SAMPLES, "max-bytes": maxBytes } = values;
    await requireThere(path);
    if (await isLanguageSource(path)) {
      refuse(path, values, [
        ...Object.keys(DATA_OPTIONS),
        "samples",
        "mode",
        "range",
        "only",
        "skip",
        "classes",
        "max-bytes",
      ]);
      const { quantizeLanguageFile } = await import("./quantize-language.js");
      return quantizeLanguageFile(path, values, context);
    }
    refusePartOfLanguageModel(path);
    refuse(path, values, ["weights", "large", "threads", "context", "pooling"]);
    if (mode === "static" && !calibrate)
      throw new UsageError(
        "static quantization needs samples: add --calibrate DATA, or --mode dynamic, which needs none. See: octette quantize --help",
      );
    if (mode === "dynamic" && calibrate)
      throw new UsageError("--mode dynamic takes no --calibrate: its ranges are found at run time");
    if (naive && mode === "dynamic") throw new UsageError("--naive is a way of static quantization");
    if (naive && range) throw new UsageError("--naive always takes min/max: leave --range out");

    await context.checkOutput(output);
    if (values.report) await context.checkOutput(values.report);
    const model = await openModel(path, context);
    const plain = withNormalize(await withNames(model.graph, values.classes), normalize);
    const data = calibrate ? await openData(calibrate, plain, values, context) : undefined;
    const named = namedBySamples(plain, data, context);
    const test = values.eval === undefined ? undefined : await openTest(values.eval, named, values, context);
    const graph = withNormalize(named, normalize, [data, test]);
    const options = { mode, naive, range, bits, only: only?.split(",").map((op) => op.trim()), skip };
    const ranges: SeenRange[] = [];
    const { graph: quantized, summary } = await calibrated(
      graph,
      data?.sample(samples, seed),
      { ...options, seed, force, maxBytes, onRange: (...seen) => void ranges.push(seenRange(...seen)) },
      context,
    );
    const bytes = save(quantized, { maxBytes });
    if (!force) checkSmaller(path, save(graph, { maxBytes }).length, bytes.length);
    await context.write(output, bytes, context.signal);
    const sizes: SavedSizes = {
      bytes: { from: model.bytes.length, to: bytes.length },
      memory: { from: await memoryOf(graph, maxBytes), to: await memoryOf(quantized, maxBytes) },
    };
    const evaluation = test && (await measured(quantized, graph, test, maxBytes, context));
    if (values.report) {
      const facts = [
        ["model", path],
        ["written to", output],
        ["file", `${formatBytes(sizes.bytes.from)} → ${formatBytes(sizes.bytes.to)}`],
        ["memory", `${formatBytes(sizes.memory.from)} → ${formatBytes(sizes.memory.to)}`],
        [
          "int8",
          `${summary.layers.filter((layer) => layer.quantized).length} of ${summary.layers.length} nodes`,
        ],
      ] as const;
      const seen = test ?? data?.sample(samples, seed);
      const layers = seen && (await noiseOf(quantized, graph, seen, maxBytes, context));
      const noise = layers && { layers, data: test ? values.eval! : `calibration samples of ${calibrate}` };
      const model = await load(quantized, { maxBytes });
      const names = evaluation ? ([output, path] as const) : ([output] as const);
      const parts = { graph: quantized, model, facts, evaluation, noise, names, ranges };
      await writeReport(values.report, parts, context);
      model.dispose();
    }
    const { contentHash } = readArtifact(bytes, output);
    const result = { model: path, output, contentHash, ...sizes, summary, ...(evaluation && { evaluation }) };
    const about = { path: output, against: path, classes: graph.classes, all: values.all ?? false };
    context.print(result, () => [
      ...summaryText(sizes, summary, about.all, context),
      ...(evaluation ? ["", ...evaluationText(about, evaluation, context)] : []),
      "",
      `${path} → ${output}`,
      ...nextSteps(path, output, evaluation),
    ]);
  },
});

/** Throws where there is nothing at a path: which options are needed depends on what is there. */
async function requireThere(path: string): Promise<void> {
  const info = await stat(path).catch((cause: NodeJS.ErrnoException) => cause);
  if (!(info instanceof Error) || info.code !== "ENOENT") return;
  throw new OctetteError("there is no such file or folder", {
    code: "argument",
    where: path,
    expected: "a model in ONNX or TensorFlow Lite format, a GGUF file, or a folder of Hugging Face",
    hint: `Check the path, which is read from ${process.cwd()}`,
  });
}

/** Throws where a file is one of the folder of a language model. */
function refusePartOfLanguageModel(path: string): void {
  if (!/\.(json|safetensors)$/i.test(path)) return;
  throw new OctetteError("a file of a language model's folder", {
    code: "argument",
    where: path,
    expected: "the folder itself",
    hint: `octette quantize ${dirname(path)} takes all of its files`,
  });
}

/** Throws where an option was given that is of the other kind of models. */
function refuse(path: string, values: object, names: readonly string[]): void {
  const given = names.find((name) => values[name as keyof typeof values] !== undefined);
  if (given !== undefined)
    throw new UsageError(`--${given} does not apply to ${path}. See: octette quantize --help`);
}

/** Quantizes with the samples of a data set, and tells how far it is and what to look at. */
export async function calibrated(
  graph: Graph,
  samples: Dataset | undefined,
  options: QuantizeOptions,
  { longCall, progress, warn }: Context,
) {
  const quantized = await quantize(graph, {
    ...options,
    ...longCall,
    calibration: samples?.batches(BATCH),
    onProgress: ({ stage, done }) => progress.update(stage, done, samples?.count),
  });
  progress.end();
  warn(quantized.summary.warnings);
  return quantized;
}

/** Throws where int8 saves nothing: its scales and its graph are larger than what weights lose. */
function checkSmaller(where: string, float: number, quantized: number): void {
  if (quantized < float) return;
  throw new OctetteError("the int8 model is not smaller", {
    code: "argument",
    where,
    expected: `fewer than the ${formatBytes(float)} of the float model as an .octette`,
    got: formatBytes(quantized),
    hint: "--force writes it nevertheless",
  });
}

/** Bytes of memory that a model takes to run one sample. */
async function memoryOf(graph: Graph, maxBytes: number | undefined): Promise<number> {
  const model = await load(graph, { maxBytes });
  model.dispose();
  return model.bytes;
}
