// What an engine makes of models: outputs, or the text that a language model generates, in the class that it chooses and in those that
// run everywhere, and artifacts that it quantizes and tunes itself. Runs in Node, in a page and in the shell of an engine.

import {
  createDataset,
  importOnnx,
  load,
  openDataset,
  quantize,
  readArtifact,
  runtimeInfo,
  save,
  tune,
  verify,
} from "../../build/index.js";
import { quantizeLanguageModel } from "../../build/quantize-language.js";
import { resampled, soundFeatures } from "../../build/sound.js";
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

/** What the symbols of inputs are: a decoder's mask is of what was before and of the tokens of a run. */
const SIZES = { batch: ROWS, past: 5, tokens: 2, total: 7 };

/** A feed of an input: floats, or whole numbers that are tokens and kept places of a mask alike. */
function feedOf({ name, dtype, shape }) {
  const dims = shape.map((dim) => (typeof dim === "number" ? dim : SIZES[dim]));
  const numbers = spread(dims.reduce((n, dim) => n * dim, 1));
  const data = dtype === "f32" ? numbers : Int32Array.from(numbers, (v) => (v > -0.9 ? 1 : 0));
  return [name, { dtype, shape: dims, data }];
}

/** Bytes of the outputs for ROWS rows. */
async function outputsOf(bytes, options) {
  const model = await load(bytes, { ...options, maxima: { batch: ROWS - 1 } });
  const feeds = Object.fromEntries(model.inputs.map(feedOf));
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

const hashOf = ({ graph }) => readArtifact(save(graph)).contentHash;

/** An LSTM and a GRU, quantized and fine-tuned with all that learns. */
async function recurrentTuned(bytes) {
  const graph = importOnnx(bytes, { name: "recurrent" });
  const [{ shape }] = graph.inputs;
  const x = { dtype: "f32", shape: [SAMPLES, ...shape.slice(1)] };
  x.data = spread(x.shape.reduce((n, dim) => n * dim, 1));
  const labels = { dtype: "i32", shape: [SAMPLES], data: Int32Array.from(spread(SAMPLES), (v) => 2 + 2 * v) };
  const data = createDataset({ x }, graph.inputs, { labels });
  const { graph: int8 } = await quantize(graph, { calibration: data.batches(16) });
  const options = { optimizer: { kind: "adamw" }, scales: "learned", activationScales: "learned" };
  return hashOf(await tune(int8, { data, epochs: 2, batch: 16, lr: 0.01, ...options }));
}

/** Numbers of recordings and of a picture, as a model gets them. */
async function numbersOf(jpeg) {
  const samples = spread(6000);
  const wav = { sampleRate: 44100, length: samples.length, read: (from, n) => samples.slice(from, from + n) };
  const sound = resampled(wav, 16000).read(0, 2000);
  const kinds = ["logmel", "mfcc,like=librosa,fft=600", "mfcc,like=tensorflow"];
  const image = { name: "image", dtype: "f32", shape: ["batch", 3, 24, 24] };
  const picture = await openDataset({ name: "picture.jpg", bytes: jpeg }, [image], {
    ...{ resize: 31, crop: 24, filter: "bicubic", normalize: "imagenet" },
  });
  const found = [sound, ...kinds.map((kind) => soundFeatures(kind)(sound).data), picture.at([0]).image.data];
  return found.map(hexOf).join(" ");
}

/**
 * Content hashes of the artifacts that quantizing and fine-tuning here make, and numbers of data; `others` are the paths of a recurrent
 * model, of a picture and of the files of a language model.
 */
async function artifacts(read, others) {
  const taken = async (ending) => read(others.find((path) => path.endsWith(ending)));
  const graph = importOnnx(await read("examples/digits/digits_wild.onnx"), { name: "digits_wild" });
  const train = await openDataset(await read("examples/digits/train.npz"), graph.inputs, {
    normalize: { layout: "nchw", scale: 1 / 16, mean: [0], std: [1] },
  });
  const data = train.take(SAMPLES);
  const files = {};
  for (const path of others.filter((path) => path.includes("tiny-llama/")))
    files[path.slice(path.lastIndexOf("/") + 1)] = await read(path);
  const four = await quantizeLanguageModel(files, { bits: 4, calibration: CALIBRATION, threads: 1 });
  return {
    "quantized there": hashOf(await quantize(graph, { calibration: data.batches(16) })),
    "fine-tuned there": hashOf(await tune(graph, { data, bits: 2, epochs: 2, batch: 16 })),
    "language model": four.contentHash,
    "recurrent tuned": await recurrentTuned(await taken("recurrent.onnx")),
    "sounds, pictures": await numbersOf(await taken(".jpg")),
  };
}

/**
 * Answers to the artifacts of these paths, and artifacts of its own; paths of other files are what it makes artifacts of.
 * `read` gives the bytes of a file of the repository.
 */
export async function answersOf(paths, read) {
  const answers = {};
  const isArtifact = (path) => path.endsWith(".octette");
  for (const path of paths.filter(isArtifact)) answers[path] = await answer(await read(path));
  const { engineClass, relaxedDot } = runtimeInfo();
  const others = paths.filter((path) => !isArtifact(path));
  return { engineClass, relaxedDot, answers, artifacts: await artifacts(read, others) };
}
