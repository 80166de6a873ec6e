// octette tune: a model and labelled samples become a model that is better at them; it can be killed at any instant and go on.

import { type Dataset, openDataset } from "../data/index";
import { checkWritable, writeFileWhole } from "../files/write-file";
import { contentHash } from "../formats/octette";
import { createDelta, type Graph, OctetteError, quantize, readArtifact, save } from "../index";
import { formatBytes } from "../report/index";
import { type CheckpointState, writeCheckpoint } from "../train/checkpoint";
import { loadCheckpoint, removeCheckpoint, saveCheckpoint } from "../train/checkpoint-file";
import { type TuneOptions, type TuneSummary, tune } from "../train/index";
import {
  byteCount,
  type Context,
  DATA_HELP,
  defineCommand,
  positiveNumber,
  toJson,
  UsageError,
  wholeNumber,
} from "./command";
import { type ModelFile, openModel, readWhole } from "./open-model";
import { calibration, normalizeOf, SAMPLES, withPreprocessing } from "./quantize";
import { type Candidate, type Measured, measure, measuredText, narrator } from "./tune-report";

export const tuneCommand = defineCommand({
  name: "tune",
  summary: "train a quantized model further: what is trained is what runs",
  arguments: "MODEL --data TRAIN -o OUT.octette [--eval TEST] [options]",
  positionals: ["MODEL"],
  options: {
    data: { type: "string", value: "DATA", help: "samples to train on, and their labels" },
    output: {
      type: "string",
      short: "o",
      value: "FILE",
      help: "where the tuned model goes; a file there is replaced",
    },
    validation: {
      type: "string",
      value: "DATA",
      help: "samples that choose the state which is kept, or a part of TRAIN (default 0.1)",
    },
    eval: { type: "string", value: "DATA", help: "samples for the table at the end, and for nothing else" },
    bits: { type: "string", value: "N", help: "bits of a weight that a float model gets, 2 to 8 (default)" },
    normalize: {
      type: "string",
      value: "SPEC",
      help: "scale,mean,std[,nhwc]: how bytes become the model's numbers; kept in the artifact",
    },
    labels: {
      type: "string",
      value: "WHERE",
      help: "array, column (first, last, a header) or file of the labels",
    },
    teacher: {
      type: "string",
      value: "MODEL",
      help: "a float model whose outputs to learn, beside the labels: MODEL itself where it is float; none",
    },
    train: {
      type: "string",
      value: "WHAT",
      help: "all (default), bias, scales (codes stay), last:N (layers), or a pattern of names",
    },
    flip: { type: "boolean", help: "mirror half of the images left to right" },
    epochs: { type: "string", value: "N", help: "times that all samples are seen (default 3)" },
    batch: { type: "string", value: "N", help: "samples of a step (default 64)" },
    lr: { type: "string", value: "X", help: "learning rate at its peak, as in PyTorch (default 0.01)" },
    memory: { type: "string", value: "SIZE", help: "most memory of a step, such as 8MB: trains what fits" },
    seed: { type: "string", value: "N", help: "seed of everything random (default 0)" },
    resume: { type: "boolean", help: "go on where an interrupted run of the same command was" },
    checkpoint: { type: "string", value: "N", help: "steps from one checkpoint to the next (default 50)" },
    delta: {
      type: "string",
      value: "BASE",
      help: "write only what is different from this artifact, for octette apply",
    },
  },
  notes: [
    "MODEL is an .octette, or a float model, which is quantized first as octette quantize does, with ranges from TRAIN.",
    "Kept is the state that does best on validation, that before the first step included.",
    "While it runs, OUT.checkpoint lies beside OUT. Whatever ends it, Ctrl-C or a power cut: the same command with --resume",
    "goes on from there, to the same bytes.",
    "",
    ...DATA_HELP,
  ],
  examples: [
    "octette tune digits.onnx --data train.npz --normalize 1/16,0,1 --bits 4 --eval test.npz -o digits4.octette",
    "octette tune digits.octette --data mine.npz --train last:1 --memory 1MB -o mine.delta --delta digits.octette",
  ],
  async run([path = ""], values, context) {
    const { output, json, delta } = values;
    if (!values.data)
      throw new UsageError("--data DATA is missing: what should it learn from? See: octette tune --help");
    if (!output) throw new UsageError("-o FILE is missing: where should the tuned model go?");
    const asked = optionsOf(values);
    const normalize = normalizeOf(values.normalize);
    const bits = wholeNumber("bits", values.bits, 2);
    const checkpoint = `${output}.checkpoint`;
    for (const file of [output, checkpoint]) await checkWritable(file);

    const model = await openModel(path);
    const graph = withPreprocessing(model.graph, normalize);
    const open = async (source: string): Promise<Dataset> => {
      const { labels } = values;
      const options = { ...(normalize ? { normalize } : {}), ...(labels ? { labels } : {}) };
      return labelled(await openDataset(source, graph.inputs, options), source, context);
    };
    const data = await open(values.data);
    const { validation = "0.1" } = values;
    const isPart = Number.isFinite(Number(validation));
    const test = values.eval === undefined ? undefined : await open(values.eval);
    const isTaught = values.teacher !== "none";
    const other = isTaught && values.teacher !== undefined ? await openModel(values.teacher) : undefined;
    const base = delta === undefined ? undefined : await readWhole(delta);

    const start = await startOf({ ...model, graph }, data, { bits, seed: asked.seed ?? 0 }, context);
    const float = start.isFloat ? { ...model, graph } : other;
    const teacher = isTaught ? (other ?? float) : undefined;
    // Fails before the work where the two differ in more than numbers.
    if (base) createDelta(base, save(start.graph), { base: delta!, tuned: path });
    const options: TuneOptions = {
      ...asked,
      ...start.masters,
      data,
      validation: isPart ? Number(validation) : await open(validation),
      teacher: teacher?.graph ?? "none",
      signal: context.signal,
    };
    const { tuned, chosenBy } = await resumable(start.graph, options, checkpoint, values, context);
    const artifact = save(tuned.graph);
    const written = base ? createDelta(base, artifact, { base: delta!, tuned: output }) : artifact;
    await writeFileWhole(output, written);
    await removeCheckpoint(checkpoint);

    const candidates: Candidate[] = [
      ...(float ? [{ name: "float", graph: float.graph, bytes: float.bytes.length }] : []),
      { name: start.name, graph: start.graph, bytes: save(start.graph).length },
      { name: "tuned", graph: tuned.graph, bytes: artifact.length },
    ];
    const measured = await measure(candidates, test ?? chosenBy, context).catch((error) => {
      context.progress.end();
      context.log(`${output} is written; octette eval tells how good it is`);
      throw error;
    });
    const { contentHash } = readArtifact(artifact, output);
    const { summary } = tuned;
    const on = test ? values.eval! : "validation";
    context.print(
      json
        ? toJson({ model: path, output, contentHash, bytes: written.length, on, ...measured, summary })
        : resultText({ path, output, on, bytes: base && written.length }, measured, summary, context),
    );
  },
});

type Asked = Partial<Record<"train" | "epochs" | "batch" | "lr" | "memory" | "seed", string>> & {
  readonly flip?: boolean;
};

/** What is passed on as it was asked for. */
function optionsOf(values: Asked): Partial<TuneOptions> {
  const given = {
    train: values.train,
    flip: values.flip,
    epochs: wholeNumber("epochs", values.epochs, 1),
    batch: wholeNumber("batch", values.batch, 1),
    lr: positiveNumber("lr", values.lr),
    memory: byteCount("memory", values.memory),
    seed: wholeNumber("seed", values.seed, 0),
  };
  return Object.fromEntries(Object.entries(given).filter(([, value]) => value !== undefined));
}

function labelled(data: Dataset, where: string, { log }: Context): Dataset {
  for (const note of data.notes) log(note);
  if (data.labels && data.count > 0) return data;
  throw new OctetteError("there is nothing to learn from", {
    code: "argument",
    where,
    expected: "samples and a label for each",
    got: `${data.count} samples${data.labels ? "" : " without labels"}`,
    hint: "A .npz needs an array named labels; --labels names another, or where other files have them",
  });
}

/** The quantized model to begin with, and the floats that its codes were. */
async function startOf(
  { path, graph }: ModelFile,
  data: Dataset,
  { bits, seed }: { readonly bits: number | undefined; readonly seed: number },
  { log, progress, signal }: Context,
) {
  const isFloat = graph.nodes.every(({ op }) => op !== "DequantizeLinear");
  if (!isFloat && bits !== undefined)
    throw new OctetteError("the model is quantized already", {
      code: "argument",
      where: path,
      expected: "a float model, for --bits",
      hint: "Leave --bits out, or name the float model",
    });
  if (!isFloat) return { name: "before", graph, isFloat };
  const samples = data.sample(SAMPLES, seed);
  const { summary, ...quantized } = await quantize(graph, {
    seed,
    signal,
    calibration: calibration(samples, signal),
    onProgress: ({ stage, samples: done }) => progress.update(stage, done, samples.count),
    ...(bits === undefined ? {} : { bits }),
  });
  progress.end();
  for (const warning of summary.warnings) log(`warning: ${warning}`);
  const { masters } = quantized;
  return { name: "calibrated", graph: quantized.graph, masters: { masters }, isFloat };
}

/** Tunes with checkpoints. Where something ends it early, says how to go on. */
async function resumable(
  graph: Graph,
  options: TuneOptions,
  path: string,
  values: { readonly resume?: boolean; readonly checkpoint?: string },
  context: Context,
) {
  const { signal } = context;
  const every = wholeNumber("checkpoint", values.checkpoint, 1);
  const state = await checkpointOf(graph, path, values.resume ?? false, context);
  const told = narrator(context);
  let kept = state && stepOf(state);
  let chosenBy: Dataset | undefined;
  try {
    const tuned = await tune(graph, {
      ...options,
      ...told,
      onBegin(begin) {
        chosenBy = begin.validation;
        told.onBegin(begin);
      },
      checkpoint: {
        state,
        ...(every === undefined ? {} : { every }),
        async save(state) {
          await saveCheckpoint(path, writeCheckpoint(state));
          kept = stepOf(state);
        },
      },
    });
    context.progress.end();
    for (const note of tuned.summary.notes) context.log(note);
    for (const warning of tuned.summary.warnings) context.log(`warning: ${warning}`);
    return { tuned, chosenBy: chosenBy! };
  } catch (error) {
    context.progress.end();
    if (signal.aborted && error !== signal.reason) context.log(`octette: ${(error as Error).message}`);
    if (kept !== undefined)
      context.log(`${path} holds step ${kept}: the same command with --resume goes on from there`);
    throw error;
  }
}

/** The checkpoint to go on from, if one is wanted; says so where there is one and it is not. */
async function checkpointOf(graph: Graph, path: string, isWanted: boolean, { log }: Context) {
  if (!isWanted) {
    const found = await loadCheckpoint(path).catch(() => undefined);
    if (found?.state.model === contentHash(graph))
      log(
        `${path} holds step ${stepOf(found.state)} of an earlier run of this model; without --resume it is begun anew`,
      );
    return undefined;
  }
  const found = await loadCheckpoint(path);
  if (found?.note) log(found.note);
  log(found ? `goes on from ${path}, step ${stepOf(found.state)}` : `no checkpoint at ${path}: begins anew`);
  return found?.state;
}

const stepOf = ({ progress }: CheckpointState) => progress.step as number;

function resultText(
  files: {
    readonly path: string;
    readonly output: string;
    readonly on: string;
    readonly bytes?: number | undefined;
  },
  measured: Measured,
  { best, epochs }: TuneSummary,
  context: Context,
): string {
  const { path, output, on, bytes } = files;
  const data =
    on === "validation"
      ? "the validation samples, which chose the state that is kept; --eval DATA takes others"
      : on;
  return [
    measuredText(measured, data, context),
    "",
    `kept    ${best === 0 ? "the model as it was" : `the end of epoch ${best} of ${epochs.length}`}`,
    ...(bytes === undefined ? [] : [`delta   ${formatBytes(bytes)}`]),
    `${path} → ${output}`,
  ].join("\n");
}
