import { readFile } from "node:fs/promises";
import { answerOf } from "./answer.js";
import * as octette from "./octette.js";

readFile("digits.onnx")
  .then((onnx) => answerOf(octette, { model: "model.octette", language: "language.octette", onnx }))
  .then((answer) => console.log(JSON.stringify(answer)));
