// octette run: feeds arrays from files to a model once, and shows or writes what comes out.

import { join } from "node:path";

import { readBytes } from "../engine/source";
import { makeFolder } from "../files/write-file";
import { readNpy, writeNpy } from "../formats/npy";
import type { Feeds, Graph, Input, Tensor } from "../index";
import { isPictureName } from "../pictures/options";
import { isSoundName } from "../sound/options";
import { type Context, defineCommand, type Values } from "./command";
import { openData } from "./normalize";
import { loadForData, noteThreads, openModel } from "./open-model";
import { DATA_OPTIONS, MAX_BYTES, THREADS, text, UsageError } from "./options";

const { normalize, resize, crop, filter, features, window, stride } = DATA_OPTIONS;
const sampleRate = { "sample-rate": DATA_OPTIONS["sample-rate"] };
const OPTIONS = { normalize, resize, crop, filter, features, ...sampleRate, window, stride };

export const runCommand = defineCommand({
  name: "run",
  summary: "run a model on arrays, pictures or sounds from files",
  arguments: "MODEL --input NAME=FILE … [--output DIR]",
  positionals: ["MODEL"],
  options: {
    input: {
      value: "NAME=FILE",
      multiple: true,
      reads: true,
      needed: "what should it run on?",
      help: "an input of the model, of an .npy, PNG, JPEG or WAV; repeat for each",
      parse: splitPair,
    },
    output: { ...text("DIR", "folder for <output name>.npy (default: none is written)"), short: "o" },
    ...OPTIONS,
    threads: THREADS,
    "max-bytes": MAX_BYTES,
  },
  notes: [
    "An artifact normalizes bytes, or any numbers, as octette inspect says of its inputs. Characters that a file name cannot have become _ in the names of the files; the output and --json say which file holds which output.",
  ],
  examples: [
    "octette run digits.octette --input image=digit.npy",
    "octette run digits.octette --input image=images.npy --output out",
    "octette run mobilenet.octette --input x=cat.jpg --resize 256 --crop 224 --output out",
  ],
  async run([path = ""], values, context) {
    const { input: pairs, output: folder, threads, "max-bytes": maxBytes } = values;
    const files = new Map(pairs);
    if (files.size < pairs.length) throw new UsageError("an input is given twice");
    const { graph } = await openModel(path, context);
    const feeds: Record<string, Tensor> = Object.create(null);
    for (const [name, file] of files)
      feeds[name] =
        isPictureName(file) || isSoundName(file)
          ? await fedFile(graph.inputs, name, file, values, context)
          : readNpy(await readBytes(file, context.signal), file);
    const model = await loadForData(graph, { threads, maxBytes }, symbolsOf(graph.inputs, feeds));
    try {
      const outputs = await model.run(feeds);
      noteThreads(model, threads, context);
      const files = folder === undefined ? undefined : await writeOutputs(outputs, folder, context);
      const given = Object.entries(outputs).map(([name, { dtype, shape }], i) => {
        return { name, dtype, shape, ...(files && { file: files[i]! }) };
      });
      const withValues = () =>
        given.map((output) => ({ ...output, values: valuesOf(outputs[output.name]!) }));
      const rows = given.map(({ name, dtype, shape, file }) => [
        name,
        dtype,
        `[${shape.join(", ")}]`,
        file ?? firstValues(outputs[name]!),
      ]);
      context.print({ model: path, outputs: files ? given : withValues() }, () => [
        ...context.table(["output", "type", "shape", files ? "file" : "values"], rows, "llll"),
        ...answersText(graph, outputs, context),
      ]);
    } finally {
      model.dispose();
    }
  },
});

/** Writes each output to a file of the folder; their paths. */
async function writeOutputs(
  outputs: Readonly<Record<string, Tensor>>,
  folder: string,
  { checkOutput, write, signal }: Context,
): Promise<string[]> {
  await makeFolder(folder);
  const taken = new Set<string>();
  const files = Object.keys(outputs).map((name) => join(folder, `${fileName(name, taken)}.npy`));
  for (const file of files) await checkOutput(file);
  for (const [i, output] of Object.values(outputs).entries())
    await write(files[i]!, writeNpy(output), signal);
  return files;
}

/** Numbers of an output that are shown, samples, and classes of one sample. */
const [MOST_VALUES, MOST_SAMPLES, MOST_CLASSES] = [5, 12, 5];

/** All elements for JSON, which has no NaN and no infinities: they are strings. */
const valuesOf = ({ data }: Tensor) =>
  Array.from(data, (value) => (Number.isFinite(value) ? value : `${value}`));

/** Floats to four digits, whole numbers as they are. */
const firstValues = ({ dtype, data }: Tensor): string => {
  const shown = Array.from(data.subarray(0, MOST_VALUES), (value) =>
    dtype === "f32" ? `${Number(value.toPrecision(4))}` : `${value}`,
  );
  return [...shown, ...(data.length > MOST_VALUES ? ["…"] : [])].join(" ");
};

/** The classes of largest scores: several of one sample, one of each of many. Nothing where the model names none. */
function answersText(graph: Graph, outputs: Readonly<Record<string, Tensor>>, { table }: Context): string[] {
  const { classes } = graph;
  const [name = ""] = graph.outputs;
  const { dtype, data, shape } = outputs[name]!;
  const [samples = 0, count] = shape;
  if (classes && dtype === "i32" && data.length > 0) {
    const named = Array.from(data.subarray(0, MOST_SAMPLES), (index, i) => [
      `${i}`,
      classes[index] ?? `${index}`,
    ]);
    return ["", ...table(["sample", "class"], named, "rl"), ...moreThan(MOST_SAMPLES, data.length)];
  }
  if (!classes || shape.length !== 2 || count !== classes.length || samples === 0) return [];
  const ranked = (sample: number) =>
    classes
      .map((label, i) => ({ label, score: data[sample * count + i]! }))
      .sort((a, b) => b.score - a.score);
  const score = (value: number) => value.toPrecision(4);
  if (samples === 1) {
    const best = ranked(0).slice(0, MOST_CLASSES);
    return [
      "",
      ...table(
        ["class", name],
        best.map((one) => [one.label, score(one.score)]),
        "lr",
      ),
    ];
  }
  const rows = Array.from({ length: Math.min(samples, MOST_SAMPLES) }, (_, i) => {
    const best = ranked(i)[0]!;
    return [`${i}`, best.label, score(best.score)];
  });
  return ["", ...table(["sample", "class", name], rows, "rlr"), ...moreThan(MOST_SAMPLES, samples)];
}

const moreThan = (shown: number, count: number) => (count > shown ? [`… and ${count - shown} more`] : []);

function splitPair(pair: string): readonly [name: string, file: string] {
  // Names of exported values may hold "=" but files rarely do, so the last one divides.
  const at = pair.lastIndexOf("=");
  if (at < 1 || at === pair.length - 1) throw new UsageError(`--input must be NAME=FILE, got "${pair}"`);
  return [pair.slice(0, at), pair.slice(at + 1)];
}

/** A picture or a recording as an input of the model takes it. */
async function fedFile(
  inputs: readonly Input[],
  name: string,
  file: string,
  values: Values<typeof OPTIONS>,
  context: Context,
): Promise<Tensor> {
  const input = inputs.find((one) => one.name === name);
  if (!input) throw new UsageError(`the model has no input "${name}"`);
  const data = await openData(file, { inputs: [input] }, values, context);
  return data.at(Int32Array.from({ length: data.count }, (_, i) => i))[name] as Tensor;
}

/** What the fed arrays make of the symbols in the inputs' shapes. */
function symbolsOf(inputs: readonly Input[], feeds: Feeds): Record<string, number> {
  const symbols: Record<string, number> = Object.create(null);
  for (const { name, shape } of inputs) {
    const fed = feeds[name] as Tensor | undefined;
    shape.forEach((dim, axis) => {
      const value = fed?.shape[axis];
      if (typeof dim === "string" && value !== undefined) symbols[dim] = Math.max(value, symbols[dim] ?? 1);
    });
  }
  return symbols;
}

/** An output's name as a file's: nothing that leaves the folder or that a file system refuses, and no two alike. */
function fileName(name: string, taken: Set<string>): string {
  // biome-ignore lint/suspicious/noControlCharactersInRegex: they are what must not get into a file name
  const safe = name.replace(/[/\\:*?"<>|\u0000-\u001f]/g, "_").replace(/^\.+/, "_") || "_";
  let unique = safe;
  for (let i = 2; taken.has(unique.toLowerCase()); i++) unique = `${safe}_${i}`;
  taken.add(unique.toLowerCase());
  return unique;
}
