// Models as files: .onnx, .tflite or .octette, told apart by their first bytes.

import { stat } from "node:fs/promises";
import { basename } from "node:path";
import { isLimit } from "../engine/limit";
import { readBytes } from "../engine/source";
import { isArtifact } from "../formats/octette";
import { isTflite } from "../formats/tflite/mark";
import {
  type Artifact,
  type Graph,
  type LoadOptions,
  load,
  type Model,
  OctetteError,
  openOnnx,
  readArtifact,
} from "../index";
import { folderBeside } from "../toolkit/import-onnx";
import type { Context } from "./command";

export interface ModelFile {
  readonly path: string;
  readonly format: "onnx" | "octette" | "tflite";
  readonly bytes: Uint8Array;
  readonly graph: Graph;
  /** Hashes and self-test; artifacts only. */
  readonly artifact?: Artifact;
}

export async function openModel(path: string, { signal }: Pick<Context, "signal">): Promise<ModelFile> {
  if ((await stat(path).catch(() => undefined))?.isDirectory())
    throw new OctetteError("a folder is no model of this command", {
      code: "argument",
      where: path,
      expected: "a file: .onnx, .tflite or .octette",
      hint: "octette quantize and octette generate take the folder of a language model",
    });
  const bytes = await readBytes(path, signal);
  if (!isArtifact(bytes)) {
    // The name ends in the artifact, so it must not depend on the folder.
    const format = isTflite(bytes) ? "tflite" : "onnx";
    const imported =
      format === "tflite"
        ? (await import("../tflite.js")).importTflite(bytes, { name: path })
        : await importBeside(path, bytes, signal);
    const graph = { ...imported, name: basename(path).replace(/\.(onnx|tflite)$/i, "") };
    return { path, format, bytes, graph };
  }
  const artifact = readArtifact(bytes, path);
  if (artifact.text !== undefined)
    throw new OctetteError("this command takes no language model", {
      code: "argument",
      where: path,
      expected: "a model that answers each feed by itself",
      hint: "octette generate, chat, perplexity, embed, inspect, bench, footprint and bundle take it",
    });
  return { path, format: "octette", bytes, graph: artifact.graph, artifact };
}

/** An ONNX model, with the tensors that lie in files beside it. */
const importBeside = (path: string, bytes: Uint8Array, signal: AbortSignal | undefined): Promise<Graph> =>
  openOnnx(bytes, { name: path, signal, externalData: folderBeside(path) });

/** Batch that data are run in: large enough to keep kernels busy, small enough for any memory. */
const BATCH = 32;

/** Maxima for running data through a model: its batch, where it has one. */
export function batchMaxima(graph: Graph, batch = BATCH): Record<string, number> {
  const symbol = graph.inputs[0]?.shape[0];
  return typeof symbol === "string" ? { [symbol]: batch } : {};
}

/** Loads a model for running data through it, in batches as large as its memory allows. */
export async function loadForData(
  graph: Graph,
  options: Pick<LoadOptions, "threads" | "maxBytes">,
  maxima: Readonly<Record<string, number>> = {},
): Promise<Model> {
  for (let batch = BATCH; ; batch >>= 1)
    try {
      return await load(graph, { ...options, maxima: { ...maxima, ...batchMaxima(graph, batch) } });
    } catch (error) {
      if (batch === 1 || !isLimit(error)) throw error;
    }
}

/** Maxima for the batch that was asked for, 1 without; a model whose batch is fixed has no other. */
export function askedMaxima({ path, graph }: ModelFile, asked: number | undefined): Record<string, number> {
  const maxima = batchMaxima(graph, asked ?? 1);
  if (asked === undefined || Object.keys(maxima).length > 0) return maxima;
  throw new OctetteError("the model's batch is fixed", {
    code: "argument",
    where: path,
    expected: "a first dimension with a name",
    got: `${graph.inputs[0]?.shape[0] ?? "none"}`,
    hint: "Leave --batch out",
  });
}

/** Says that there are fewer samples than were asked for. */
export function noteFewer(asked: number | undefined, count: number, { log }: Context): void {
  if (asked !== undefined && asked > count) log(`There are ${count} samples, not ${asked}: all are used.`);
}

/** Says why a model ran on fewer threads than asked for. */
export function noteThreads({ engine }: Model, asked: number | undefined, context: Context): void {
  if (asked === undefined || engine.threads >= asked) return;
  context.log(`Ran on ${engine.threads} of ${asked} threads: ${engine.threadsReason}.`);
}
