// Load and run, and nothing else: the entry for devices and pages. It reaches the graph, the ops, the engine and the
// .octette format; the importer and the quantizer stay out.

import { createRuntime } from "./create-runtime";

export const { load, loadSync, info: runtimeInfo } = createRuntime();
export type { LoadOptions } from "./create-runtime";
export type { Feeds } from "./engine/feeds";
export type { Model, ModelOptions, StepProfile, Tapped } from "./engine/model";
export type { BytesSource } from "./engine/source";
export type { EngineClass, EngineInfo, WasmSource, WasmSources } from "./engine/wasm";
export { FormatError, OctetteError } from "./errors";
export type { Graph, Input, Preprocessing, ValueType } from "./graph/graph";
export { type DType, type Tensor, type TypedArray, tensor } from "./graph/tensor";
