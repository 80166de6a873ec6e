import { readFile } from "node:fs/promises";
import { answerOf } from "../../answer.js";
import * as octette from "../../octette.js";

export const dynamic = "force-dynamic";

export async function GET() {
  const onnx = await readFile("public/digits.onnx");
  const [model, language] = ["public/model.octette", "public/language.octette"];
  return Response.json(await answerOf(octette, { model, language, gguf: "public/language.gguf", onnx }));
}
