import { readFile } from "node:fs/promises";
import { answerOf } from "./answer.js";
import * as octette from "./octette.js";

const files = { model: "model.octette", language: "language.octette", gguf: "language.gguf" };
readFile("digits.onnx")
  .then((onnx) => answerOf(octette, { ...files, onnx }))
  .then((answer) => console.log(JSON.stringify(answer)));
