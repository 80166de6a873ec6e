// How a runtime is put together: from its ops, an engine and the .octette format.

import { createModel, Model, type ModelOptions } from "./engine/model";
import { type BytesSource, bytesOf, nameOf, readBytes } from "./engine/source";
import { Engine, type EngineInfo, type WasmSources } from "./engine/wasm";
import { readArtifact } from "./formats/octette";
import type { Graph } from "./graph/graph";
import { registry } from "./ops/index";
import type { Registry } from "./ops/infer";

export interface LoadOptions extends ModelOptions {
  /**
   * Wasm to use instead of the inlined modules: bytes, a Response or a WebAssembly.Module a group. The same object
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
  /** Which class of kernels this engine runs, and why. */
  info(): EngineInfo;
}

/** A runtime with these ops: the full registry, or the part of it that a model needs. */
export function createRuntime(ops: Registry = registry): Runtime {
  const shared = new Engine();
  const engines = new WeakMap<WasmSources, Engine>();
  const engineOf = ({ wasm }: LoadOptions) => {
    if (!wasm) return shared;
    const engine = engines.get(wasm) ?? new Engine(wasm);
    engines.set(wasm, engine);
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
    info: () => shared.info,
  };
}
