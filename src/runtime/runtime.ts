// How a runtime is put together: from its ops, an engine and the .octette format.

import type { Draft } from "../engine/draft";
import { createModel, draftModel, Model, type ModelOptions, prepareDraft } from "../engine/model";
import { provideRunSizes, type RunSizes, withRunSizes } from "../engine/planner";
import {
  type ByteReader,
  type BytesSource,
  bytesOf,
  nameOf,
  openReader,
  read,
  readSync,
} from "../engine/source";
import { threadsHere } from "../engine/threads";
import { type Carried, Engine, type EngineInfo, type WasmSources } from "../engine/wasm";
import { streamArtifact } from "../formats/artifact-stream";
import type { Graph } from "../graph/graph";
import type { Constant, Reading } from "../graph/tensor";
import type { Registry } from "../ops/infer";
import { checkOptions, type Names } from "../options";

/** Options of `load`. */
export interface LoadOptions extends ModelOptions {
  /**
   * Wasm to use instead of the runtime's own: bytes, a Response, a URL or a WebAssembly.Module for each group that it
   * carries. The same object passed again is not compiled again. Default: the wasm that the runtime carries.
   */
  readonly wasm?: WasmSources;
  /** Stops reading the source: `load` throws the signal's reason. Default: nothing stops it. */
  readonly signal?: AbortSignal | undefined;
}

const LOAD = {
  maxima: 1,
  taps: 1,
  maxBytes: 1,
  engineClass: 1,
  threads: 1,
  worker: 1,
  maxIterations: 1,
  wasm: 1,
  signal: 1,
} satisfies Names<LoadOptions>;

/** What loads and runs models. */
export interface Runtime {
  /**
   * Loads a model from .octette bytes, a Blob, a Response, an async iterable of chunks, or a file's path or URL (Node).
   * Throws FormatError where the file is not what it should be, OctetteError where this runtime lacks an op.
   */
  load(source: BytesSource, options?: LoadOptions): Promise<Model>;
  /** As `load`, from bytes that are already here, and blocking while wasm compiles. */
  loadSync(bytes: Uint8Array | ArrayBuffer, options?: LoadOptions): Model;
  /**
   * As `load`, from a reader, which is closed.
   * @internal
   */
  loadReader(reader: ByteReader, where: string, options?: LoadOptions): Promise<Model>;
  /** Loads a graph that is already in memory. */
  loadGraph(graph: Graph, options?: LoadOptions): Promise<Model>;
  /** As `loadGraph`, at once. */
  loadGraphSync(graph: Graph, options?: LoadOptions): Model;
  /** Imports what models need whose sizes only a run knows, so that `loadSync` runs them. `load` does that by itself. */
  preloadSizes(): Promise<void>;
  /** Which class of kernels this engine runs and how many threads it has for a model, and why. */
  info(): EngineInfo;
}

/** What a runtime is put together from. Where more can be imported, both grow. */
export interface Parts {
  readonly ops: Registry;
  readonly wasm: Carried;
  /** What has compiled it, where that is shared. */
  readonly engine?: Engine;
  /** Imports what a graph needs beyond that; undefined where all is here. */
  loadFor?(graph: Graph<Constant>): Promise<void> | undefined;
  /** What models need whose sizes only a run knows. */
  readonly sizes?: RunSizes | undefined;
  /** Imports that. */
  loadSizes?(): Promise<void>;
  /** Throws where a graph needs an op group that is not imported yet. */
  check?(graph: Graph<Constant>): void;
}

/** A runtime of these parts. */
// @__NO_SIDE_EFFECTS__
export function runtimeOf(parts: Parts): Runtime {
  provideRunSizes(parts.sizes);
  const shared = parts.engine ?? new Engine(parts.wasm);
  const engines = new WeakMap<WasmSources, Engine>();
  const engineOf = (options: LoadOptions) => {
    checkOptions("load", options, LOAD);
    const { wasm: own } = options;
    if (!own) return shared;
    const engine = engines.get(own) ?? new Engine(parts.wasm, own);
    engines.set(own, engine);
    return engine;
  };
  const withSizes = <T>(make: () => T | Promise<T>) =>
    withRunSizes(make, parts.loadSizes && (() => parts.loadSizes!()));
  const loadGraph: Runtime["loadGraph"] = async (graph, options = {}) => {
    const engine = engineOf(options);
    await parts.loadFor?.(graph);
    return withSizes(() => createModel(graph, parts.ops, engine, options));
  };
  const loadGraphSync: Runtime["loadGraphSync"] = (graph, options = {}) => {
    parts.check?.(graph);
    return new Model(graph, parts.ops, engineOf(options), options);
  };
  /** Reads an artifact into a model of its own. Once its graph is known, it may wait for groups and wasm to be there. */
  function* loading(
    where: string,
    size: number | undefined,
    options: LoadOptions,
    mayWait: boolean,
  ): Reading<Model> {
    let model: Model | undefined;
    let isLoaded = false;
    const engine = engineOf(options);
    // The class is fixed from here on: weights from a file are packed once and not kept.
    engine.settle();
    try {
      yield* streamArtifact(
        function* ({ graph }) {
          const imported = mayWait ? parts.loadFor?.(graph) : parts.check?.(graph);
          if (imported) yield imported;
          let draft: Draft | undefined;
          const drafting = () => void (draft = draftModel(graph, parts.ops, engine, options));
          if (mayWait) yield withSizes(drafting);
          else drafting();
          if (mayWait) yield prepareDraft(engine, draft!);
          model = new Model(graph, parts.ops, engine, options, draft);
          return model.loader;
        },
        where,
        size,
      );
      isLoaded = true;
      return model!;
    } finally {
      if (!isLoaded) model?.dispose();
    }
  }
  const loadReader: Runtime["loadReader"] = async (reader, where, options = {}) => {
    const model = await read(loading(where, reader.size, options, true), reader);
    await model.started;
    return model;
  };
  return {
    loadGraph,
    loadGraphSync,
    loadReader,
    load: async (source, options) =>
      loadReader(await openReader(source, options?.signal), nameOf(source), options),
    loadSync: (source, options = {}) => {
      const bytes = bytesOf(source);
      return readSync(loading("model", bytes.length, options, false), bytes);
    },
    preloadSizes: async () => parts.loadSizes?.(),
    info: () => ({ ...shared.info, ...threadsHere() }),
  };
}
