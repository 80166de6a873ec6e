import { readFile } from "node:fs/promises";
import { importOnnx, quantize, readArtifact, save } from "octette";
import { load } from "octette/runtime";
import { answerOf } from "../../answer.js";

export const dynamic = "force-dynamic";

const octette = { load, importOnnx, quantize, readArtifact, save };

export async function GET() {
  const onnx = await readFile("public/digits.onnx");
  return Response.json(await answerOf(octette, "public/model.octette", onnx));
}
