import { readFile } from "node:fs/promises";
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
readFile("digits.onnx")
  .then((onnx) => answerOf(octette, { model: "model.octette", language: "language.octette", onnx }))
  .then((answer) => console.log(JSON.stringify(answer)));
