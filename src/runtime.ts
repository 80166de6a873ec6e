// Load and run, and nothing else: the entry for devices and pages. It reaches the graph, the ops, the engine and the
// .octette format; the importer and the quantizer stay out.

import { createRuntime, type Runtime } from "./create-runtime";
import { inlined } from "./engine/inlined";
import { registry } from "./ops/index";

/** All ops and classes. Functions, and not its own methods, so that a bundler may leave it out. */
const full = createRuntime(registry, inlined);

/**
 * Loads a model from .octette bytes, a Blob, a Response, an async iterable of chunks, or a file's path or URL (Node).
 * Throws FormatError where the file is not what it should be, OctetteError where this runtime lacks an op.
 */
export const load: Runtime["load"] = (source, options) => full.load(source, options);
/** As `load`, from bytes that are already here, and blocking while wasm compiles. */
export const loadSync: Runtime["loadSync"] = (bytes, options) => full.loadSync(bytes, options);
/** Which class of kernels this engine runs, and why. */
export const runtimeInfo: Runtime["info"] = () => full.info();

export { createRuntime, type LoadOptions, type Runtime } from "./create-runtime";
export type { KernelClass, Verdict, WasmSource } from "./engine/classes";
export type { RelaxedDot } from "./engine/features";
export type { Feeds, Into } from "./engine/feeds";
export type { Model, ModelOptions, StepProfile, Tapped } from "./engine/model";
export type { BytesSource } from "./engine/source";
export type { Carried, EngineClass, EngineInfo, WasmSources } from "./engine/wasm";
export { FormatError, OctetteError } from "./errors";
export type { Graph, Input, Preprocessing, ValueType } from "./graph/graph";
export { type Constant, type DType, type Tensor, type TypedArray, tensor } from "./graph/tensor";
export type { Registry } from "./ops/infer";
export type { Op } from "./ops/op";
