const { readFileSync } = require("node:fs");
const { importOnnx, quantize, readArtifact, save } = require("octette");
const { load } = require("octette/runtime");
const { loadLanguageModel } = require("octette/text");

const octette = { load, importOnnx, quantize, readArtifact, save, loadLanguageModel };
const onnx = readFileSync("digits.onnx");
import("./answer.js")
  .then(({ answerOf }) => answerOf(octette, { model: "model.octette", language: "language.octette", onnx }))
  .then((answer) => console.log(JSON.stringify(answer)));
