const { readFileSync } = require("node:fs");
const { importOnnx, quantize, readArtifact, save } = require("octette");
const { load } = require("octette/runtime");

const octette = { load, importOnnx, quantize, readArtifact, save };
import("./answer.js")
  .then(({ answerOf }) => answerOf(octette, "model.octette", readFileSync("digits.onnx")))
  .then((answer) => console.log(JSON.stringify(answer)));
