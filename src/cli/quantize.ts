// octette quantize: a float model file becomes an int8 artifact, and the summary says what was done and what not.

import { type Dataset, openDataset } from "../data/index";
import { givingWay } from "../event-loop";
import {
  type Feeds,
  type Graph,
  load,
  OctetteError,
  type QuantizeSummary,
  quantize,
  readArtifact,
  save,
} from "../index";
import { formatBytes, formatPercent, formatTable } from "../report/index";
import {
  byteCount,
  type Context,
  choice,
  DATA_HELP,
  defineCommand,
  linesOf,
  MAX_BYTES_OPTION,
  toJson,
  UsageError,
  wholeNumber,
} from "./command";
import { normalizeOf, withNormalize } from "./normalize";
import { openModel } from "./open-model";

/** Samples of the calibration data that are used unless --samples says otherwise. */
export const SAMPLES = 512;
/** Samples that run at once while calibrating. */
const BATCH = 32;

export const quantizeCommand = defineCommand({
  name: "quantize",
  summary: "make a small exact int8 model of a float one",
  arguments: "MODEL.onnx -o OUT.octette [--calibrate DATA] [options]",
  positionals: ["MODEL"],
  options: {
    output: {
      type: "string",
      short: "o",
      value: "FILE",
      help: "where the artifact goes; a file there is replaced",
    },
    calibrate: {
      type: "string",
      value: "DATA",
      reads: true,
      help: "samples that show the model's ranges; labels are not needed",
    },
    samples: { type: "string", value: "N", help: `how many of them, picked by --seed (default ${SAMPLES})` },
    normalize: {
      type: "string",
      value: "SPEC",
      help: "scale,mean,std[,nhwc][,numbers]: how what is fed becomes the model's numbers; kept in the artifact",
    },
    labels: {
      type: "string",
      value: "WHERE",
      reads: true,
      help: "column (first, last, a header) or file of labels, to leave out",
    },
    bits: {
      type: "string",
      value: "N",
      help: "bits of a weight, 2 to 8 (default); below 8 octette tune brings accuracy back",
    },
    mode: { type: "string", value: "MODE", help: "static (default) or dynamic, which needs no data" },
    naive: { type: "boolean", help: "per tensor, min/max, nothing else: for comparison" },
    range: { type: "string", value: "HOW", help: "auto (default), minmax, percentile or mse" },
    only: { type: "string", value: "OPS", help: "quantize these operators only, such as Gemm,MatMul" },
    skip: {
      type: "string",
      multiple: true,
      value: "PATTERN",
      help: "keep matching nodes float (* matches anything; may be repeated)",
    },
    seed: { type: "string", value: "N", help: "seed of everything random (default 0)" },
    force: {
      type: "boolean",
      help: "write even over an input, or where a name matches nothing or int8 saves nothing",
    },
    "max-bytes": MAX_BYTES_OPTION,
  },
  notes: [
    "The artifact normalizes bytes where DATA are bytes, and all that it is fed where they are other numbers, such as sensors',",
    "or where SPEC ends in numbers.",
    "",
    ...DATA_HELP,
  ],
  examples: [
    "octette quantize digits.onnx --calibrate train.npz --normalize 1/16,0,1 -o digits.octette",
    "octette quantize digits.onnx --calibrate train.npz --normalize 1/16,0,1 --bits 4 -o digits4.octette",
    "octette quantize mlp.onnx --mode dynamic -o mlp.octette",
  ],
  async run([path = ""], values, context) {
    const { output, calibrate, naive = false, only, skip, json, force = false } = values;
    if (!output) throw new UsageError("-o FILE is missing: where should the artifact go?");
    const mode = choice("mode", values.mode, ["static", "dynamic"] as const) ?? "static";
    const range = choice("range", values.range, ["auto", "minmax", "percentile", "mse"] as const);
    const bits = bitsOf(values.bits);
    const samples = wholeNumber("samples", values.samples, 1) ?? SAMPLES;
    const seed = wholeNumber("seed", values.seed, 0) ?? 0;
    if (mode === "static" && !calibrate)
      throw new UsageError(
        "static quantization needs samples: add --calibrate DATA, or --mode dynamic, which needs none. See: octette quantize --help",
      );
    if (mode === "dynamic" && calibrate)
      throw new UsageError("--mode dynamic takes no --calibrate: its ranges are found at run time");
    if (naive && mode === "dynamic") throw new UsageError("--naive is a way of static quantization");
    if (naive && range) throw new UsageError("--naive always takes min/max: leave --range out");
    const normalize = normalizeOf(values.normalize);
    const maxBytes = byteCount("max-bytes", values["max-bytes"]);

    await context.checkOutput(output);
    const model = await openModel(path);
    const plain = withNormalize(model.graph, normalize);
    const dataset =
      mode === "static" && calibrate
        ? (
            await openDataset(calibrate, plain.inputs, {
              ...(normalize ? { normalize } : {}),
              ...(values.labels ? { labels: values.labels } : {}),
            })
          ).sample(samples, seed)
        : undefined;
    const graph = withNormalize(plain, normalize, [dataset]);
    for (const note of dataset?.notes ?? []) context.log(note);
    const { graph: quantized, summary } = await quantize(graph, {
      mode,
      naive,
      seed,
      force,
      maxBytes,
      signal: context.signal,
      onProgress: ({ stage, samples: done }) => context.progress.update(stage, done, dataset?.count),
      ...(dataset ? { calibration: calibration(dataset, context.signal) } : {}),
      ...(range ? { range } : {}),
      ...(bits === undefined ? {} : { bits }),
      ...(only ? { only: only.split(",").map((op) => op.trim()) } : {}),
      ...(skip ? { skip } : {}),
    });
    context.progress.end();
    for (const warning of summary.warnings) context.log(`warning: ${warning}`);
    const bytes = save(quantized, { maxBytes });
    if (!force) checkSmaller(path, save(graph, { maxBytes }).length, bytes.length);
    await context.write(output, bytes, context.signal);
    const sizes = {
      bytes: { from: model.bytes.length, to: bytes.length },
      memory: { from: await memoryOf(graph, maxBytes), to: await memoryOf(quantized, maxBytes) },
    };
    if (json) {
      const { contentHash } = readArtifact(bytes, output);
      context.print(toJson({ model: path, output, contentHash, ...sizes, summary }));
    } else context.print(summaryText(path, output, sizes, summary, context));
  },
});

/** Throws where int8 saves nothing: its scales and its graph are larger than what weights lose. */
function checkSmaller(where: string, float: number, quantized: number): void {
  if (quantized < float) return;
  throw new OctetteError("int8 makes the model no smaller", {
    code: "argument",
    where,
    expected: `fewer than the ${formatBytes(float)} of the float model as an .octette`,
    got: formatBytes(quantized),
    hint: "--force writes it nevertheless",
  });
}

const BITS = ["2", "3", "4", "5", "6", "7", "8"] as const;

export function bitsOf(text: string | undefined): number | undefined {
  const bits = choice("bits", text, BITS);
  return bits === undefined ? undefined : Number(bits);
}

export async function* calibration(dataset: Dataset, signal: AbortSignal): AsyncIterable<Feeds> {
  const giveWay = givingWay(signal);
  for (const feeds of dataset.batches(BATCH)) {
    await giveWay();
    yield feeds;
  }
}

/** Bytes of memory that a model takes to run one sample. */
async function memoryOf(graph: Graph, maxBytes: number | undefined): Promise<number> {
  const model = await load(graph, { maxBytes });
  model.dispose();
  return model.bytes;
}

interface Sizes {
  readonly bytes: { readonly from: number; readonly to: number };
  readonly memory: { readonly from: number; readonly to: number };
}

/** Rows of each part of the summary that are shown; --json has them all. */
const MOST_ROWS = 40;

function summaryText(
  path: string,
  output: string,
  { bytes, memory }: Sizes,
  { mode, layers, equalized, biasCorrected, skipped, samples }: QuantizeSummary,
  { width }: Context,
): string[] {
  const quantized = layers.filter((layer) => layer.quantized);
  const wide = width === undefined ? {} : { width };
  const shown = layers.slice(0, MOST_ROWS);
  const more = (n: number) => (n > MOST_ROWS ? [`… and ${n - MOST_ROWS} more (--json lists them)`] : []);
  return [
    ...linesOf(
      formatTable(
        ["node", "op", "becomes", "range or reason"],
        shown.map((l) => [l.name, l.op, l.quantized ? "int8" : "float", l.reason ?? l.range ?? ""]),
        { ...wide, align: ["left", "left", "left", "left"] },
      ),
    ),
    ...more(layers.length),
    "",
    ...(skipped.length > 0
      ? [
          ...linesOf(
            formatTable(
              ["left out", "where", "why"],
              skipped.slice(0, MOST_ROWS).map((s) => [s.what, s.where, s.reason]),
              { ...wide, align: ["left", "left", "left"] },
            ),
          ),
          ...more(skipped.length),
          "",
        ]
      : []),
    `${mode}: ${quantized.length} of ${layers.length} nodes int8, ${equalized.length} pairs equalized, ${biasCorrected.length} biases corrected${samples > 0 ? `, ${samples} samples` : ""}`,
    `file    ${formatBytes(bytes.from)} → ${formatBytes(bytes.to)} (${formatPercent((100 * bytes.to) / bytes.from, 0)})`,
    `memory  ${formatBytes(memory.from)} → ${formatBytes(memory.to)}`,
    `${path} → ${output}`,
  ];
}
