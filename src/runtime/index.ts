// Load and run, and nothing else: the entry for devices and pages. It reaches the graph, the ops, the engine and the
// .octette format; the importer and the quantizer stay out.

export { FormatError, OctetteError } from "../errors";
export { tensor } from "../graph/tensor";
export { load, loadSync, preload, runtimeInfo } from "./core-runtime";
export { createRuntime } from "./create-runtime";
export { type Ranked, softmax, topK } from "./scores";
export type * from "./types";
