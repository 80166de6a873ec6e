import { readFile } from "node:fs/promises";
import { importOnnx, quantize, readArtifact, save } from "octette";
import { load } from "octette/runtime";
import { answerOf } from "./answer.js";

const octette = { load, importOnnx, quantize, readArtifact, save };
readFile("digits.onnx")
  .then((onnx) => answerOf(octette, "model.octette", onnx))
  .then((answer) => console.log(JSON.stringify(answer)));
