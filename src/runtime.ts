// Load and run, and nothing else: the entry for devices and pages. It reaches the graph, the ops, the engine and the
// .octette format; the importer and the quantizer stay out.

export { load, loadSync, preload, runtimeInfo } from "./core-runtime";
export { createRuntime } from "./create-runtime";
export type { KernelClass, Verdict, WasmSource } from "./engine/classes";
export type { RelaxedDot } from "./engine/features";
export type { Feeds, Into } from "./engine/feeds";
export type { Model, ModelOptions, StepProfile, Tapped } from "./engine/model";
export type { BytesSource } from "./engine/source";
export type { Stream, StreamOptions } from "./engine/stream";
export type { Carried, EngineClass, EngineInfo, WasmSources } from "./engine/wasm";
export { FormatError, OctetteError } from "./errors";
export type { Graph, Input, Preprocessing, ValueType } from "./graph/graph";
export { type Constant, type DType, type Tensor, type TypedArray, tensor } from "./graph/tensor";
export type { Registry } from "./ops/infer";
export type { Op } from "./ops/op";
export type { LoadOptions, Runtime } from "./runtime-of";
export { type Ranked, softmax, topK } from "./scores";
