import { readFile } from "node:fs/promises";
import { importOnnx, quantize, readArtifact, save } from "octette";
import { load } from "octette/runtime";
import { loadLanguageModel } from "octette/text";
import { answerOf } from "../../answer.js";

export const dynamic = "force-dynamic";

const octette = { load, importOnnx, quantize, readArtifact, save, loadLanguageModel };

export async function GET() {
  const onnx = await readFile("public/digits.onnx");
  const [model, language] = ["public/model.octette", "public/language.octette"];
  return Response.json(await answerOf(octette, { model, language, onnx }));
}
