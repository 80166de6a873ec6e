// What an engine makes of models: outputs, or the text that a language model generates, in the class that it chooses and in those that
// run everywhere, and artifacts that it quantizes and tunes itself. Runs in Node, in a page and in the shell of an engine.

import {
  importOnnx,
  load,
  openDataset,
  quantize,
  quantizeLanguageModel,
  readArtifact,
  runtimeInfo,
  save,
  tune,
  verify,
} from "../../build/index.js";
import { loadLanguageModel } from "../../build/text.js";
import { CALIBRATION, generatedBy } from "../hosts/app/language.js";

const ROWS = 3;
const SAMPLES = 64;

/** Numbers in [−1, 1) that need no generator. */
const spread = (n) =>
  Float32Array.from({ length: n }, (_, i) => (Math.imul(i + 1, 2654435761) >>> 8) / 2 ** 23 - 1);

const hexOf = ({ buffer, byteOffset, byteLength }) =>
  [...new Uint8Array(buffer, byteOffset, byteLength)]
    .map((byte) => byte.toString(16).padStart(2, "0"))
    .join("");

/** Bytes of the outputs for ROWS rows. */
async function outputsOf(bytes, options) {
  const model = await load(bytes, { ...options, maxima: { batch: ROWS - 1 } });
  const feeds = Object.fromEntries(
    model.inputs.map(({ name, shape: [, ...shape] }) => [
      name,
      { dtype: "f32", shape: [ROWS, ...shape], data: spread(shape.reduce((n, dim) => n * dim, ROWS)) },
    ]),
  );
  const outputs = Object.values(await model.run(feeds));
  model.dispose();
  return outputs.map(({ data }) => hexOf(data)).join(" ");
}

/** Outputs of an artifact whose own test passes, or what it generates, where all classes agree. */
async function answer(bytes) {
  const isLanguage = readArtifact(bytes).text !== undefined;
  if (!isLanguage && !(await verify(bytes))) return "self-test failed";
  const answerIn = (options) =>
    isLanguage ? generatedBy(loadLanguageModel, bytes, options) : outputsOf(bytes, options);
  const chosen = await answerIn({});
  for (const engineClass of ["baseline", "extmul"])
    if ((await answerIn({ engineClass })) !== chosen) return `${engineClass} differs`;
  return chosen;
}

/** Content hashes of the artifacts that quantizing and fine-tuning here make; `language` are the files of a language model. */
async function artifacts(read, language) {
  const graph = importOnnx(await read("examples/digits/digits_wild.onnx"), { name: "digits_wild" });
  const train = await openDataset(await read("examples/digits/train.npz"), graph.inputs, {
    normalize: { layout: "nchw", scale: 1 / 16, mean: [0], std: [1] },
  });
  const data = train.take(SAMPLES);
  const hashOf = ({ graph: made }) => readArtifact(save(made)).contentHash;
  const files = {};
  for (const path of language) files[path.slice(path.lastIndexOf("/") + 1)] = await read(path);
  const four = await quantizeLanguageModel(files, { bits: 4, calibration: CALIBRATION, threads: 1 });
  return {
    "quantized there": hashOf(await quantize(graph, { calibration: data.batches(16) })),
    "fine-tuned there": hashOf(await tune(graph, { data, bits: 2, epochs: 2, batch: 16 })),
    "language model": four.contentHash,
  };
}

/**
 * Answers to the artifacts of these paths, and artifacts of its own; paths of other files are those of a language model to quantize.
 * `read` gives the bytes of a file of the repository.
 */
export async function answersOf(paths, read) {
  const answers = {};
  const isArtifact = (path) => path.endsWith(".octette");
  for (const path of paths.filter(isArtifact)) answers[path] = await answer(await read(path));
  const { engineClass, relaxedDot } = runtimeInfo();
  const language = paths.filter((path) => !isArtifact(path));
  return { engineClass, relaxedDot, answers, artifacts: await artifacts(read, language) };
}
