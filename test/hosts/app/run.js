// What pages and their workers do.

import { answerOf } from "./answer.js";
import * as octette from "./octette.js";

export async function run(options) {
  try {
    const onnx = new Uint8Array(await (await fetch("/digits.onnx")).arrayBuffer());
    const [model, language] = [await fetch("/model.octette"), await fetch("/language.octette")];
    const gguf = await fetch("/language.gguf");
    return await answerOf(octette, { model, language, gguf, onnx }, options);
  } catch (error) {
    return { error: `${error.name}: ${error.message}` };
  }
}
