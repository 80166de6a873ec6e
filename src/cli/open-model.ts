// Models as files: .onnx or .octette, told apart by their first bytes.

import { readFile, stat } from "node:fs/promises";
import { basename } from "node:path";
import { isArtifact } from "../formats/octette";
import { type Artifact, type Graph, importOnnx, OctetteError, readArtifact } from "../index";

/** Largest model file that is read. */
export const MAX_MODEL_BYTES = 2 ** 31;

export interface ModelFile {
  readonly path: string;
  readonly format: "onnx" | "octette";
  readonly bytes: Uint8Array;
  readonly graph: Graph;
  /** Hashes and self-test; artifacts only. */
  readonly artifact?: Artifact;
}

export async function openModel(path: string): Promise<ModelFile> {
  const bytes = await readModel(path);
  if (!isArtifact(bytes)) {
    // The name ends in the artifact, so it must not depend on the folder.
    const graph = { ...importOnnx(bytes, { name: path }), name: basename(path).replace(/\.onnx$/i, "") };
    return { path, format: "onnx", bytes, graph };
  }
  const artifact = readArtifact(bytes, path);
  return { path, format: "octette", bytes, graph: artifact.graph, artifact };
}

async function readModel(path: string): Promise<Uint8Array> {
  const info = await stat(path).catch((error: { code?: string; message: string }) => {
    throw new OctetteError(error.code === "ENOENT" ? "no such file" : error.message, {
      code: "argument",
      where: path,
    });
  });
  if (!info.isFile()) throw new OctetteError("is no file", { code: "argument", where: path });
  if (info.size > MAX_MODEL_BYTES)
    throw new OctetteError("the model is too large", {
      code: "limit",
      where: path,
      expected: `at most MAX_MODEL_BYTES = ${MAX_MODEL_BYTES}`,
      got: `${info.size} bytes`,
    });
  return readFile(path);
}

/** Batch that data are run in: large enough to keep kernels busy, small enough for any memory. */
const BATCH = 32;

/** Maxima for running data through a model: its batch, where it has one. */
export function batchMaxima(graph: Graph, batch = BATCH): Record<string, number> {
  const symbol = graph.inputs[0]?.shape[0];
  return typeof symbol === "string" ? { [symbol]: batch } : {};
}
