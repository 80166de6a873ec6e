// What pages and their workers do.

import { importOnnx, quantize, readArtifact, save } from "octette";
import { load } from "octette/runtime";
import { answerOf } from "./answer.js";

const octette = { load, importOnnx, quantize, readArtifact, save };

export async function run(options) {
  try {
    const onnx = await (await fetch("/digits.onnx")).arrayBuffer();
    return await answerOf(octette, await fetch("/model.octette"), new Uint8Array(onnx), options);
  } catch (error) {
    return { error: `${error.name}: ${error.message}` };
  }
}
