// What pages and their workers do.

import { createDataset, importOnnx, quantize, readArtifact, save, tensor } from "octette";
import { createLearner } from "octette/learner";
import { load } from "octette/runtime";
import { loadLanguageModel } from "octette/text";
import { answerOf } from "./answer.js";

const octette = {
  createDataset,
  createLearner,
  importOnnx,
  load,
  loadLanguageModel,
  quantize,
  readArtifact,
  save,
  tensor,
};

export async function run(options) {
  try {
    const onnx = new Uint8Array(await (await fetch("/digits.onnx")).arrayBuffer());
    const [model, language] = [await fetch("/model.octette"), await fetch("/language.octette")];
    return await answerOf(octette, { model, language, onnx }, options);
  } catch (error) {
    return { error: `${error.name}: ${error.message}` };
  }
}
