const { readFileSync } = require("node:fs");

const octette = {
  ...require("octette"),
  ...require("octette/learner"),
  ...require("octette/pictures"),
  ...require("octette/sound"),
  ...require("octette/text"),
  ...require("octette/runtime"),
};
const onnx = readFileSync("digits.onnx");
import("./answer.js")
  .then(({ answerOf }) => answerOf(octette, { model: "model.octette", language: "language.octette", onnx }))
  .then((answer) => console.log(JSON.stringify(answer)));
