// octette tune: a model and labelled samples become a model that is better at them; it can be killed at any instant and go on.

import type { Dataset } from "../data/index";
import { readBytes } from "../engine/source";
import { isQuantized } from "../graph/graph";
import {
  createDelta,
  type Graph,
  OctetteError,
  preload,
  type QuantizeOptions,
  readArtifact,
  save,
} from "../index";
import { previousOf } from "../train/checkpoint/file";
import { type TuneOptions, type TuneSummary, tune } from "../train/index";
import { defaults } from "../train/run/tune-options";
import { namedBySamples, withNames } from "./classes";
import { type Context, defineCommand, type Values } from "./command";
import { checkNormalization, openData, withNormalize } from "./normalize";
import { type ModelFile, openModel } from "./open-model";
import {
  BITS,
  CLASSES,
  choice,
  DATA_HELP,
  DATA_OPTIONS,
  flag,
  MAX_BYTES,
  output,
  positiveNumber,
  SEED,
  text,
  wholeNumber,
} from "./options";
import { calibrated } from "./quantize";
import { formatBytes } from "./terminal";
import { Checkpoint } from "./tune-checkpoint";
import { type Candidate, type Measured, measure, measuredText, narrator } from "./tune-report";

/** Samples of the training data that show a float model's ranges. */
const SAMPLES = 512;
/** Part of the training data that chooses which state is kept. */
const VALIDATION = 0.1;

const OPTIONS = {
  data: {
    ...text("DATA", "samples to train on, and their labels"),
    reads: true,
    needed: "what should it learn from?",
  },
  output: output("tuned model"),
  validation: {
    ...text("DATA", `samples to choose the best checkpoint by, or a part of TRAIN (default ${VALIDATION})`),
    reads: true,
  },
  eval: { ...text("DATA", "test samples, for the table at the end"), reads: true },
  bits: BITS,
  ...DATA_OPTIONS,
  classes: CLASSES,
  teacher: {
    ...text("MODEL", "float model to distill from (default MODEL, if it is float); none: labels only"),
    reads: true,
  },
  train: text("WHAT", "all (default), bias, scales (codes stay), last:N (layers), or a pattern of names"),
  flip: flag("mirror half of the images left to right"),
  epochs: wholeNumber(1, `times that all samples are seen (default ${defaults.epochs})`),
  batch: wholeNumber(1, `samples of a step (default ${defaults.batch})`),
  lr: positiveNumber("X", `learning rate at its peak, as in PyTorch (default ${defaults.lr})`),
  scales: choice(
    "HOW",
    ["follow", "learned"],
    "scales of weights: follow their largest (default), or learned",
  ),
  "activation-scales": choice(
    "HOW",
    ["frozen", "learned"],
    "scales of activations: frozen (default), or learned",
  ),
  ranges: choice(
    "HOW",
    ["frozen", "moving"],
    "ranges of activations: frozen (default), or moving with the batches for half of all steps",
  ),
  "max-bytes": {
    ...MAX_BYTES,
    help: "most memory of a step and of a model, such as 8MB (default 1GiB): trains what fits",
  },
  seed: SEED,
  resume: flag("continue an interrupted run of the same command"),
  checkpoint: wholeNumber(1, "steps from one checkpoint to the next (default 50)"),
  delta: {
    ...text("BASE", "write only the difference from this artifact, for octette apply"),
    reads: true,
  },
};

export const tuneCommand = defineCommand({
  name: "tune",
  summary: "fine-tune a quantized model",
  arguments: "MODEL --data TRAIN -o OUT.octette [--eval TEST] [options]",
  positionals: ["MODEL"],
  options: OPTIONS,
  notes: [
    "MODEL is an .octette, or a float model: it is quantized first, as octette quantize does, with TRAIN as calibration samples.",
    "Tuning keeps the best checkpoint by validation accuracy, possibly the original model.",
    "While it runs, OUT.checkpoint lies beside OUT. After Ctrl-C or a power cut, the same command with --resume continues from there and ends in the same bytes.",
    DATA_HELP,
  ],
  examples: [
    "octette tune digits.onnx --data train.npz --normalize 1/16,0,1 --bits 4 --eval test.npz -o digits4.octette",
    "octette tune digits.octette --data mine.npz --train last:1 --max-bytes 1MB -o mine.delta --delta digits.octette",
  ],
  async run([path = ""], values, context) {
    const { output, delta, bits, checkpoint: every } = values;
    const asked = optionsOf(values);
    const { maxBytes } = asked;
    const checkpointPath = `${output}.checkpoint`;
    for (const file of [output, checkpointPath, previousOf(checkpointPath)]) await context.checkOutput(file);

    const files = await openFiles(path, values, context);
    const start = await startOf(files, { bits, seed: asked.seed ?? 0, maxBytes }, context);
    const float = start.isFloat ? files.model : files.teacher;
    const teacher = values.teacher === "none" ? undefined : (files.teacher ?? float);
    const base = delta === undefined ? undefined : await readBytes(delta, context.signal);
    const encode = (artifact: Uint8Array, tuned: string) =>
      base && delta ? createDelta(base, artifact, { base: delta, tuned }) : artifact;
    // Fails before the work where the base differs in more than numbers.
    await preload();
    encode(save(start.graph, { maxBytes }), path);

    const checkpoint = await Checkpoint.open(checkpointPath, start.graph, values.resume ?? false, context);
    const told = narrator(context);
    let chosenBy = files.data;
    const tuneAndWrite = async () => {
      const { graph, summary } = await tune(start.graph, {
        ...asked,
        ...start.masters,
        ...told,
        data: files.data,
        validation: files.validation,
        teacher: teacher?.graph ?? "none",
        checkpoint: { state: checkpoint.state, save: checkpoint.save, every },
        signal: context.signal,
        onBegin(begin) {
          chosenBy = begin.validation;
          checkpoint.begin();
          told.onBegin(begin);
        },
      });
      context.progress.end();
      context.warn(summary.warnings);
      const artifact = save(graph, { maxBytes });
      const written = encode(artifact, output);
      await context.write(output, written);
      return { graph, summary, artifact, written };
    };
    const tuned = await tuneAndWrite().catch((error) => {
      checkpoint.explain(error);
      throw error;
    });
    await checkpoint.remove();

    const candidates: Candidate[] = [
      ...(float ? [{ name: "float", graph: float.graph, bytes: float.bytes.length }] : []),
      { name: start.name, graph: start.graph, bytes: save(start.graph, { maxBytes }).length },
      { name: "tuned", graph: tuned.graph, bytes: tuned.artifact.length },
    ];
    const measured = await measure(candidates, files.test ?? chosenBy, maxBytes, context).catch((error) => {
      context.progress.end();
      context.log(`${output} is written; octette eval tells how good it is`);
      throw error;
    });
    const { contentHash } = readArtifact(tuned.artifact, output);
    const result = {
      model: path,
      output,
      contentHash,
      bytes: tuned.written.length,
      on: values.eval ?? "validation",
      ...measured,
      summary: tuned.summary,
    };
    context.print(result, () => resultText(result, delta !== undefined, context));
  },
});

type Given = Values<typeof OPTIONS>;

/** Everything that is read. The data for the table are opened, too, so that a wrong name costs no training. */
async function openFiles(path: string, values: Given, context: Context) {
  const { data, validation = `${VALIDATION}`, eval: test, teacher, normalize } = values;
  const file = await openModel(path, context);
  const given = withNormalize(await withNames(file.graph, values.classes), normalize);
  const open = async (source: string, graph: Graph) =>
    labelled(await openData(source, graph, values, context), source);
  const part = Number(validation);
  const training = await open(data, given);
  const plain = namedBySamples(given, training, context);
  const sets = {
    data: training,
    validation: Number.isFinite(part) ? undefined : await open(validation, plain),
    test: test === undefined ? undefined : await open(test, plain),
  };
  const graph = withNormalize(plain, normalize, Object.values(sets));
  return {
    ...sets,
    model: { ...file, graph } as ModelFile,
    validation: sets.validation ?? part,
    teacher:
      teacher === undefined || teacher === "none" ? undefined : await teacherOf(teacher, graph, context),
  };
}

/** What is passed on as it was asked for. */
const optionsOf = (values: Given): Partial<TuneOptions> => ({
  train: values.train,
  scales: values.scales,
  activationScales: values["activation-scales"],
  ranges: values.ranges && { kind: values.ranges },
  flip: values.flip,
  epochs: values.epochs,
  batch: values.batch,
  lr: values.lr,
  maxBytes: values["max-bytes"],
  seed: values.seed,
});

function labelled(data: Dataset, where: string): Dataset {
  if (data.labels && data.count > 0) return data;
  throw new OctetteError("there is nothing to learn from", {
    code: "argument",
    where,
    expected: "samples and a label for each",
    got: `${data.count} samples${data.labels ? "" : data.targets ? " with numbers that are no classes" : " without labels"}`,
    hint: "A .npz needs an array named labels; --labels names another, or where other files have them",
  });
}

/** A model that takes what the tuned one takes. */
async function teacherOf(path: string, graph: Graph, context: Context): Promise<ModelFile> {
  const { inputs } = graph;
  const file = await openModel(path, context);
  checkNormalization(graph, file);
  const namesOf = (of: Graph["inputs"]) => of.map(({ name }) => `"${name}"`).join(", ");
  if (namesOf(file.graph.inputs) === namesOf(inputs)) return file;
  throw new OctetteError("the teacher takes other inputs", {
    code: "argument",
    where: path,
    expected: namesOf(inputs),
    got: namesOf(file.graph.inputs),
    hint: "Name a float model of the same inputs, such as the one that was quantized",
  });
}

/** The quantized model to begin with, and the floats that its codes were. */
async function startOf(
  { model: { path, graph }, data }: { readonly model: ModelFile; readonly data: Dataset },
  options: Pick<QuantizeOptions, "bits" | "seed" | "maxBytes">,
  context: Context,
) {
  const isFloat = !graph.nodes.some(isQuantized);
  if (!isFloat && options.bits !== undefined)
    throw new OctetteError("the model is quantized already", {
      code: "argument",
      where: path,
      expected: "a float model, for --bits",
      hint: "Leave --bits out, or name the float model",
    });
  if (!isFloat) return { name: "before", graph, isFloat };
  const samples = data.sample(SAMPLES, options.seed ?? 0);
  const { masters, ...quantized } = await calibrated(graph, samples, options, context);
  return { name: "calibrated", graph: quantized.graph, masters: { masters }, isFloat };
}

interface Result extends Measured {
  readonly model: string;
  readonly output: string;
  /** Of the file that was written. */
  readonly bytes: number;
  /** What the models were measured on. */
  readonly on: string;
  readonly summary: TuneSummary;
}

function resultText(result: Result, isDelta: boolean, context: Context): string[] {
  const { model, output, bytes, on, summary } = result;
  const { best, epochs } = summary;
  const data =
    on === "validation"
      ? "validation samples, which chose the state that is kept; --eval DATA takes others"
      : `samples of ${on}`;
  return [
    ...measuredText(result, data, context),
    `kept    ${best === 0 ? "the model as it was" : `the end of epoch ${best} of ${epochs.length}`}`,
    ...(isDelta ? [`delta   ${formatBytes(bytes)}`] : []),
    "",
    `${model} → ${output}`,
  ];
}
