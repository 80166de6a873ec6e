// octette tune: a model and labelled samples become a model that is better at them; it can be killed at any instant and go on.

import { type Dataset, openDataset } from "../data/index";
import { isQuantized } from "../graph/graph";
import { createDelta, type Graph, OctetteError, quantize, readArtifact, save } from "../index";
import { formatBytes } from "../report/index";
import { previousOf } from "../train/checkpoint/file";
import { type TuneOptions, type TuneSummary, tune } from "../train/index";
import { defaults } from "../train/run/tune-options";
import {
  byteCount,
  type Context,
  choice,
  DATA_HELP,
  defineCommand,
  linesOf,
  MAX_BYTES_OPTION,
  positiveNumber,
  toJson,
  UsageError,
  wholeNumber,
} from "./command";
import { checkNormalization, normalizeOf, withNormalize } from "./normalize";
import { type ModelFile, openModel, readWhole } from "./open-model";
import { bitsOf, calibration, SAMPLES } from "./quantize";
import { Checkpoint } from "./tune-checkpoint";
import { type Candidate, type Measured, measure, measuredText, narrator } from "./tune-report";

/** Part of the training data that chooses which state is kept. */
const VALIDATION = 0.1;

export const tuneCommand = defineCommand({
  name: "tune",
  summary: "train a quantized model further: what is trained is what runs",
  arguments: "MODEL --data TRAIN -o OUT.octette [--eval TEST] [options]",
  positionals: ["MODEL"],
  options: {
    data: { type: "string", value: "DATA", reads: true, help: "samples to train on, and their labels" },
    output: {
      type: "string",
      short: "o",
      value: "FILE",
      help: "where the tuned model goes; a file there is replaced",
    },
    validation: {
      type: "string",
      value: "DATA",
      reads: true,
      help: `samples that choose the state which is kept, or a part of TRAIN (default ${VALIDATION})`,
    },
    eval: {
      type: "string",
      value: "DATA",
      reads: true,
      help: "samples for the table at the end, and for nothing else",
    },
    bits: { type: "string", value: "N", help: "bits of a weight that a float model gets, 2 to 8 (default)" },
    normalize: {
      type: "string",
      value: "SPEC",
      help: "scale,mean,std[,nhwc]: how what is fed becomes the model's numbers; kept in the artifact",
    },
    labels: {
      type: "string",
      value: "WHERE",
      reads: true,
      help: "array, column (first, last, a header) or file of the labels",
    },
    teacher: {
      type: "string",
      value: "MODEL",
      reads: true,
      help: "a float model whose outputs to learn, beside the labels: MODEL itself where it is float; none",
    },
    train: {
      type: "string",
      value: "WHAT",
      help: "all (default), bias, scales (codes stay), last:N (layers), or a pattern of names",
    },
    flip: { type: "boolean", help: "mirror half of the images left to right" },
    epochs: {
      type: "string",
      value: "N",
      help: `times that all samples are seen (default ${defaults.epochs})`,
    },
    batch: { type: "string", value: "N", help: `samples of a step (default ${defaults.batch})` },
    lr: {
      type: "string",
      value: "X",
      help: `learning rate at its peak, as in PyTorch (default ${defaults.lr})`,
    },
    scales: {
      type: "string",
      value: "HOW",
      help: "of weights: follow their largest (default), or learned",
    },
    "activation-scales": { type: "string", value: "HOW", help: "frozen (default), or learned" },
    ranges: {
      type: "string",
      value: "HOW",
      help: "of activations: frozen (default), or moving with the batches for half of all steps",
    },
    memory: { type: "string", value: "SIZE", help: "most memory of a step, such as 8MB: trains what fits" },
    "max-bytes": MAX_BYTES_OPTION,
    seed: { type: "string", value: "N", help: "seed of everything random (default 0)" },
    resume: { type: "boolean", help: "go on where an interrupted run of the same command was" },
    checkpoint: { type: "string", value: "N", help: "steps from one checkpoint to the next (default 50)" },
    delta: {
      type: "string",
      value: "BASE",
      reads: true,
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
    const { data, output, delta } = values;
    if (!data)
      throw new UsageError("--data DATA is missing: what should it learn from? See: octette tune --help");
    if (!output) throw new UsageError("-o FILE is missing: where should the tuned model go?");
    const asked = optionsOf(values);
    const { maxBytes } = asked;
    const [bits, every] = [bitsOf(values.bits), wholeNumber("checkpoint", values.checkpoint, 1)];
    const checkpointPath = `${output}.checkpoint`;
    for (const file of [output, checkpointPath, previousOf(checkpointPath)]) await context.checkOutput(file);

    const files = await openFiles(path, { ...values, data }, context);
    const start = await startOf(files, { bits, seed: asked.seed ?? 0, maxBytes }, context);
    const float = start.isFloat ? files.model : files.teacher;
    const teacher = values.teacher === "none" ? undefined : (files.teacher ?? float);
    const base = delta === undefined ? undefined : await readWhole(delta);
    const encode = (artifact: Uint8Array, tuned: string) =>
      base && delta ? createDelta(base, artifact, { base: delta, tuned }) : artifact;
    // Fails before the work where the base differs in more than numbers.
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
        checkpoint: { state: checkpoint.state, save: checkpoint.save, ...(every ? { every } : {}) },
        signal: context.signal,
        onBegin(begin) {
          chosenBy = begin.validation;
          checkpoint.begin();
          told.onBegin(begin);
        },
      });
      context.progress.end();
      for (const warning of summary.warnings) context.log(`warning: ${warning}`);
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
    context.print(values.json ? toJson(result) : linesOf(resultText(result, delta !== undefined, context)));
  },
});

interface Sources {
  readonly data: string;
  readonly validation?: string;
  readonly eval?: string;
  readonly teacher?: string;
  readonly normalize?: string;
  readonly labels?: string;
}

/** Everything that is read. The data for the table are opened, too, so that a wrong name costs no training. */
async function openFiles(path: string, sources: Sources, context: Context) {
  const { data, validation = `${VALIDATION}`, eval: test, teacher, labels } = sources;
  const normalize = normalizeOf(sources.normalize);
  const file = await openModel(path);
  const plain = withNormalize(file.graph, normalize);
  const options = { ...(normalize ? { normalize } : {}), ...(labels ? { labels } : {}) };
  const open = async (source: string) =>
    labelled(await openDataset(source, plain.inputs, options), source, context);
  const part = Number(validation);
  const sets = {
    data: await open(data),
    validation: Number.isFinite(part) ? undefined : await open(validation),
    test: test === undefined ? undefined : await open(test),
  };
  const graph = withNormalize(plain, normalize, Object.values(sets));
  return {
    ...sets,
    model: { ...file, graph } as ModelFile,
    validation: sets.validation ?? part,
    teacher: teacher === undefined || teacher === "none" ? undefined : await teacherOf(teacher, graph),
  };
}

type Asked = Partial<
  Record<
    | "activation-scales"
    | "batch"
    | "epochs"
    | "lr"
    | "max-bytes"
    | "memory"
    | "ranges"
    | "scales"
    | "seed"
    | "train",
    string
  >
> & {
  readonly flip?: boolean;
};

/** What is passed on as it was asked for. */
function optionsOf(values: Asked): Partial<TuneOptions> {
  const ranges = choice("ranges", values.ranges, ["frozen", "moving"] as const);
  const given = {
    train: values.train,
    scales: choice("scales", values.scales, ["follow", "learned"] as const),
    activationScales: choice("activation-scales", values["activation-scales"], [
      "frozen",
      "learned",
    ] as const),
    ranges: ranges && { kind: ranges },
    flip: values.flip,
    epochs: wholeNumber("epochs", values.epochs, 1),
    batch: wholeNumber("batch", values.batch, 1),
    lr: positiveNumber("lr", values.lr),
    memory: byteCount("memory", values.memory),
    maxBytes: byteCount("max-bytes", values["max-bytes"]),
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

/** A model that takes what the tuned one takes. */
async function teacherOf(path: string, graph: Graph): Promise<ModelFile> {
  const { inputs } = graph;
  const file = await openModel(path);
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
  {
    bits,
    seed,
    maxBytes,
  }: { readonly bits: number | undefined; readonly seed: number } & Pick<TuneOptions, "maxBytes">,
  { log, progress, signal }: Context,
) {
  const isFloat = !graph.nodes.some(isQuantized);
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
    maxBytes,
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

interface Result extends Measured {
  readonly model: string;
  readonly output: string;
  /** Of the file that was written. */
  readonly bytes: number;
  /** What the models were measured on. */
  readonly on: string;
  readonly summary: TuneSummary;
}

function resultText(result: Result, isDelta: boolean, context: Context): string {
  const { model, output, bytes, on, summary } = result;
  const { best, epochs } = summary;
  const data =
    on === "validation"
      ? "validation samples, which chose the state that is kept; --eval DATA takes others"
      : `samples of ${on}`;
  return [
    measuredText(result, data, context),
    `kept    ${best === 0 ? "the model as it was" : `the end of epoch ${best} of ${epochs.length}`}`,
    ...(isDelta ? [`delta   ${formatBytes(bytes)}`] : []),
    "",
    `${model} → ${output}`,
  ].join("\n");
}
