const { readFileSync } = require("node:fs");

const octette = {
  ...require("octette"),
  ...require("octette/learner"),
  ...require("octette/pictures"),
  ...require("octette/quantize-language"),
  ...require("octette/sound"),
  ...require("octette/text"),
  ...require("octette/runtime"),
};
const files = { model: "model.octette", language: "language.octette", gguf: "language.gguf" };
const onnx = readFileSync("digits.onnx");
import("./answer.js")
  .then(({ answerOf }) => answerOf(octette, { ...files, onnx }))
  .then((answer) => console.log(JSON.stringify(answer)));
