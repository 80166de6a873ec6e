// How a runtime is put together: from its ops, an engine and the .octette format.

import { createModel, Model, type ModelOptions } from "./engine/model";
import { type BytesSource, bytesOf, nameOf, readBytes } from "./engine/source";
import { threadsHere } from "./engine/threads";
import { Engine, type EngineInfo, type WasmSources } from "./engine/wasm";
import { readArtifact } from "./formats/octette";
import type { Graph } from "./graph/graph";
import type { Registry } from "./ops/infer";

export interface LoadOptions extends ModelOptions {
  /**
   * Wasm to use instead of the runtime's own: bytes, a Response, a URL or a WebAssembly.Module a group. The same object
   * passed again is not compiled again.
   */
  readonly wasm?: WasmSources;
}

export interface Runtime {
  /**
   * Loads a model from .octette bytes, a Blob, a Response, an async iterable of chunks, or a file's path or URL (Node).
   * Throws FormatError where the file is not what it should be, OctetteError where this runtime lacks an op.
   */
  load(source: BytesSource, options?: LoadOptions): Promise<Model>;
  /** As `load`, from bytes that are already here, and blocking while wasm compiles. */
  loadSync(bytes: Uint8Array | ArrayBuffer, options?: LoadOptions): Model;
  /** Loads a graph that is already in memory. */
  loadGraph(graph: Graph, options?: LoadOptions): Promise<Model>;
  /** As `loadGraph`, at once. */
  loadGraphSync(graph: Graph, options?: LoadOptions): Model;
  /** Which class of kernels this engine runs and how many threads it has for a model, and why. */
  info(): EngineInfo;
}

/**
 * A runtime of these ops, by their ONNX names, and of this wasm. A bundler leaves out what it is not given:
 * `createRuntime({ Conv, Relu, QuantizeLinear, DequantizeLinear }, { common, baseline })`.
 */
// @__NO_SIDE_EFFECTS__
export function createRuntime(ops: Registry, wasm: WasmSources): Runtime {
  const shared = new Engine(wasm);
  const engines = new WeakMap<WasmSources, Engine>();
  const engineOf = ({ wasm: own }: LoadOptions) => {
    if (!own) return shared;
    const engine = engines.get(own) ?? new Engine({ ...wasm, ...own });
    engines.set(own, engine);
    return engine;
  };
  const loadGraph: Runtime["loadGraph"] = (graph, options = {}) =>
    createModel(graph, ops, engineOf(options), options);
  const loadGraphSync: Runtime["loadGraphSync"] = (graph, options = {}) =>
    new Model(graph, ops, engineOf(options), options);
  return {
    loadGraph,
    loadGraphSync,
    load: async (source, options) =>
      loadGraph(readArtifact(await readBytes(source), nameOf(source)).graph, options),
    loadSync: (bytes, options) => loadGraphSync(readArtifact(bytesOf(bytes)).graph, options),
    info: () => ({ ...shared.info, ...threadsHere() }),
  };
}
