const { readFileSync } = require("node:fs");
const { createDataset, importOnnx, quantize, readArtifact, save, tensor } = require("octette");
const { createLearner } = require("octette/learner");
const { load } = require("octette/runtime");
const { loadLanguageModel } = require("octette/text");

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
const onnx = readFileSync("digits.onnx");
import("./answer.js")
  .then(({ answerOf }) => answerOf(octette, { model: "model.octette", language: "language.octette", onnx }))
  .then((answer) => console.log(JSON.stringify(answer)));
