// The whole toolkit: import, quantize, fine-tune, save, load, run, evaluate.

import type { Model } from "./engine/model";
import { selfTestHash } from "./engine/self-test";
import {
  type BytesSource,
  bytesOf,
  nameOf,
  openReader,
  peek,
  read,
  readAll,
  readBytes,
} from "./engine/source";
import { FormatError, OctetteError } from "./errors";
import { ARTIFACT_MARK_BYTES, isArtifact, readArtifact } from "./formats/octette";
import { isTflite } from "./formats/tflite/mark";
import type { Graph } from "./graph/graph";
import { nameClasses } from "./ops/classes";
import { checkOptions } from "./options";
import type { LoadOptions, Runtime } from "./runtime/runtime";
import { runtimeFor } from "./runtime/runtime-of-toolkit";
import {
  baseName,
  type ExternalOptions,
  externalIn,
  folderBeside,
  importOnnx,
  importWithExternal,
  type OpenOnnxOptions,
  openOnnx,
} from "./toolkit/import-onnx";
import { checked } from "./toolkit/save";
import { type Toolkit, type ToolkitOptions, toolkit, toolkitIn } from "./toolkit/toolkit";

/** Which class of kernels this engine runs, how many threads it has for a model, and why. */
export const runtimeInfo: Runtime["info"] = () => runtimeFor(toolkit).info();

/**
 * Imports the kernels that few models need, for `loadSync` and `save`, which wait for nothing: those of attention and other parts
 * of language models, of recurrent layers, of weights in groups, of convolutions and poolings over volumes, of computed weights or
 * by norms, of samples at computed places, of poolings of regions and of images of columns. In Node these two read them from the
 * files of the package by themselves, unless a bundler left those behind. `load`, `quantize`, `tune` and `evaluate` import them. Of
 * a toolkit with ops of one's own: `toolkit.preload()`.
 */
export const preload = (): Promise<void> => toolkit.preload();

const importNamed = (bytes: Uint8Array, where: string, toolkit: Toolkit): Graph =>
  importOnnx(bytes, { name: baseName(where), toolkit });

const isGraph = (source: unknown): source is Graph =>
  typeof source === "object" && source !== null && "nodes" in source && "constants" in source;

/**
 * Loads a model to run: .octette, .onnx or .tflite from anywhere, or a graph. The model owns its memory until dispose(). The weights of
 * a .octette are read straight to it and kept nowhere else.
 */
export async function load(
  source: BytesSource | Graph,
  options: LoadOptions & ExternalOptions & ToolkitOptions = {},
): Promise<Model> {
  const [toolkit, given] = toolkitIn<LoadOptions & ExternalOptions>(options);
  const [externalData, own] = externalIn(given);
  const runtime = runtimeFor(toolkit);
  if (isGraph(source)) return runtime.loadGraph(checked(source, toolkit), own);
  const where = nameOf(source);
  const [first, reader] = await peek(await openReader(source, own?.signal), ARTIFACT_MARK_BYTES);
  if (isArtifact(first)) return runtime.loadReader(reader, where, own);
  const bytes = await read(readAll(reader.size), reader);
  if (!isTflite(bytes)) {
    const named = { name: baseName(where) };
    const folder = externalData ?? folderBeside(source);
    const graph = await importWithExternal(bytes, named, toolkit, folder, own?.signal);
    return runtime.loadGraph(graph, own);
  }
  const { importTflite } = await import("./tflite.js");
  return runtime.loadGraph(importTflite(bytes, { name: baseName(where), toolkit }), own);
}

/** As `load`, at once, from a graph or from bytes that are already here. */
export function loadSync(
  source: Uint8Array | ArrayBuffer | Graph,
  options: LoadOptions & ToolkitOptions = {},
): Model {
  const [toolkit, own] = toolkitIn<LoadOptions>(options);
  const runtime = runtimeFor(toolkit);
  if (isGraph(source)) return runtime.loadGraphSync(checked(source, toolkit), own);
  const bytes = bytesOf(source);
  if (isArtifact(bytes)) return runtime.loadSync(bytes, own);
  return runtime.loadGraphSync(importNamed(bytes, "model", toolkit), own);
}

/** Whether a saved model gives on this engine, to the bit, what it gave where it was saved. */
export async function verify(
  source: BytesSource,
  options: LoadOptions & ToolkitOptions = {},
): Promise<boolean> {
  const [toolkit, own] = toolkitIn<LoadOptions>(options);
  const { graph, selfTest } = readArtifact(await readBytes(source, own.signal), nameOf(source));
  // It is of the sizes that a model is planned for where none are given.
  const model = await runtimeFor(toolkit).loadGraph(graph, { ...own, maxima: {} });
  try {
    return selfTest !== undefined && selfTestHash(model, selfTest.seed) === selfTest.hash;
  } finally {
    model.dispose();
  }
}

/**
 * The bytes of an ONNX model (opset 21 or later) that computes what a graph does, for ONNX Runtime and other tools. Integer layers become
 * the float operators between QuantizeLinear and DequantizeLinear, weights that fit 4 bits int4; integers are int64, floats float32. Importing them
 * gives the graph again. What it takes is loaded with the first call.
 * @throws OctetteError "unsupported" that names every node ONNX has no operator for.
 */
export async function exportOnnx(
  graph: Graph,
  options: ToolkitOptions = {},
): Promise<Uint8Array<ArrayBuffer>> {
  const [toolkit, rest] = toolkitIn(options);
  checkOptions("exportOnnx", rest, {});
  const { onnxOf } = await import("./toolkit/export-onnx.js");
  return onnxOf(graph, toolkit);
}

/**
 * The graph with names of its classes, in the order of its scores, the last dimension of the first output: `save` writes them, `quantize` and
 * `tune` keep them, and `model.classes` has them.
 * @throws OctetteError "argument" where there are not as many names as scores.
 */
export function withClasses(graph: Graph, classes: readonly string[], options: ToolkitOptions = {}): Graph {
  const [toolkit, rest] = toolkitIn(options);
  checkOptions("withClasses", rest, {});
  return nameClasses(checked(graph, toolkit), classes, toolkit.ops);
}

export {
  createDataset,
  createSamples,
  type DataSource,
  type Dataset,
  type DatasetOptions,
  formatNormalize,
  type LabelledSamples,
  type NamedBytes,
  type OpenOptions,
  openDataset,
  parseNormalize,
  readSamples,
  type SampleBuffer,
  type SampleFeeds,
  type SamplesOptions,
  withPreprocessing,
} from "./data/index";
export type { TableOptions } from "./data/table-options";
export type { WindowOptions } from "./data/windows";
export type { Pace } from "./event-loop";
export type { FolderSource } from "./files/folder";
export type { Missing } from "./formats/csv";
export { applyDelta, type DeltaNames, writeDelta as createDelta } from "./formats/delta";
export { readNpy, writeNpy } from "./formats/npy";
export { readNpz } from "./formats/npz";
export { type Artifact, readArtifact, type SelfTest } from "./formats/octette";
export type { OnnxOptions } from "./formats/onnx/import";
export { writeNpz } from "./formats/write-npz";
export type { Random } from "./graph/random";
export { tensor } from "./graph/tensor";
export type { LongCallOptions, Progress } from "./long-call";
export type { EqualizedPair } from "./passes/equalize";
export type { PictureOptions } from "./pictures/options";
export type { Filter } from "./pictures/resize";
export {
  type Batches,
  type ChosenRange,
  type Histogram,
  type LayerSummary,
  type Override,
  type Quantized,
  type QuantizeMode,
  type QuantizeOptions,
  type QuantizeSummary,
  quantize,
  type Range,
  type RangeChoice,
  type RangeMethod,
} from "./quantize/index";
export type {
  Arithmetic,
  Benchmark,
  BenchmarkOptions,
  ClassAccuracy,
  Comparison,
  Confusion,
  EvaluateOptions,
  Evaluation,
  EvaluationData,
  LabelledBatch,
  LayerError,
  OutputDifference,
  Profile,
  Runnable,
  Speed,
  Spread,
  StepSpeed,
} from "./report/index";
export { benchmark, compare, evaluate } from "./report/measure";
export { type Ranked, softmax, topK } from "./runtime/scores";
export type * from "./runtime/types";
export type { SoundFeatures } from "./sound/feature-settings";
export type { SoundOptions } from "./sound/options";
export { type SaveOptions, save } from "./toolkit/save";
export { loadCheckpoint, removeCheckpoint, saveCheckpoint } from "./train/checkpoint";
export {
  type CheckpointState,
  type Json,
  readCheckpoint,
  writeCheckpoint,
} from "./train/checkpoint/checkpoint";
export type { LoadedCheckpoint } from "./train/checkpoint/file";
export {
  type ActivationScales,
  type AdamWOptions,
  type BeginReport,
  type ConstantSchedule,
  type CosineSchedule,
  type EpochReport,
  type LossTerm,
  type Masters,
  type OptimizerOptions,
  type RangeOptions,
  type Schedule,
  type SgdOptions,
  type StepReport,
  type StepSchedule,
  type Trained,
  type TuneDeployedOptions,
  type Tuned,
  type TuneOptions,
  type TuneSummary,
  tune,
  type Validation,
  type WarmUp,
  type WeightScales,
} from "./train/index";
export type { ExternalOptions, OpenOnnxOptions, Toolkit, ToolkitOptions };
export { FormatError, importOnnx, OctetteError, openOnnx };
