import { readFile } from "node:fs/promises";
import { importOnnx, quantize, readArtifact, save } from "octette";
import { load } from "octette/runtime";
import { loadLanguageModel } from "octette/text";
import { answerOf } from "./answer.js";

const octette = { load, importOnnx, quantize, readArtifact, save, loadLanguageModel };
readFile("digits.onnx")
  .then((onnx) => answerOf(octette, { model: "model.octette", language: "language.octette", onnx }))
  .then((answer) => console.log(JSON.stringify(answer)));
