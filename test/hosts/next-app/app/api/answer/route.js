import { readFile } from "node:fs/promises";
import { createDataset, importOnnx, quantize, readArtifact, save, tensor } from "octette";
import { createLearner } from "octette/learner";
import { load } from "octette/runtime";
import { loadLanguageModel } from "octette/text";
import { answerOf } from "../../answer.js";

export const dynamic = "force-dynamic";

const octette = {
  createDataset,
  createLearner,
  importOnnx,
  load,
  loadLanguageModel,
  quantize,
  readArtifact,
  save,
  tensor,
};

export async function GET() {
  const onnx = await readFile("public/digits.onnx");
  const [model, language] = ["public/model.octette", "public/language.octette"];
  return Response.json(await answerOf(octette, { model, language, onnx }));
}
