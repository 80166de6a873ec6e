// What a host makes of octette: outputs of a model that threads share, artifacts that it quantizes itself, what a language model
// generates, what a learner learns, and what pictures and sounds become.

import { hexOf } from "./hex.js";
import { CALIBRATION, generatedBy } from "./language.js";
import { learnedBy } from "./learner.js";
import { mediaOf } from "./media.js";

/** Longest wait for threads, in milliseconds. */
const PATIENCE = 8000;

/** Outputs for made-up inputs, and how many threads came to them. */
export async function outputsOf(load, model, options) {
  const loaded = await load(model, { threads: 2, ...options });
  const end = Date.now() + PATIENCE;
  while (loaded.engine.threadsReason === "its workers are starting" && Date.now() < end)
    await new Promise((resolve) => setTimeout(resolve, 20));
  const [{ name, shape }] = loaded.inputs;
  const size = shape.reduce((n, dim) => n * (typeof dim === "number" ? dim : 1), 1);
  const data = Float32Array.from(
    { length: size },
    (_, i) => (Math.imul(i + 1, 2654435761) >>> 8) / 2 ** 23 - 1,
  );
  const outputs = Object.values(await loaded.run({ [name]: data }));
  const { threads, threadsReason } = loaded.engine;
  loaded.dispose();
  return { outputs: outputs.map((tensor) => hexOf(tensor.data)).join(" "), threads, threadsReason };
}

export async function answerOf(octette, { model, language, gguf, onnx }, { learnerWorker, ...options } = {}) {
  const { load, loadLanguageModel, importOnnx, quantize, quantizeLanguageModel, readArtifact, save } =
    octette;
  const answer = await outputsOf(load, model, options);
  const generated = await generatedBy(loadLanguageModel, language, { threads: 2, ...options });
  const { graph } = await quantize(importOnnx(onnx), { mode: "dynamic" });
  const bytes = save(graph);
  const learned = await learnedBy(octette, bytes, learnerWorker);
  // The file has no tokenizer: its tokens are the end of a text, then every byte.
  const tokens = Int32Array.from(new TextEncoder().encode(CALIBRATION), (byte) => byte + 1);
  const four = await quantizeLanguageModel(gguf, { bits: 4, calibration: tokens, threads: 1 });
  const media = await mediaOf(octette);
  const artifact = readArtifact(bytes).contentHash;
  return { ...answer, ...learned, ...media, generated, artifact, quantizedLanguage: four.contentHash };
}
