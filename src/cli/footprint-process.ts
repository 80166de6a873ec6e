// Loads and runs a model in a process of its own and says what memory each step took: started by `octette footprint`, whose
// own code would count otherwise. Arguments: the model's path ("-" for standard input) and its load options as JSON.

import { readFileSync } from "node:fs";
import { kernelsOf, type Plan } from "../engine/plan";
import type { EngineClass, ModelOptions } from "../runtime/index";

/** Memory of this process, in bytes. */
export interface Usage {
  /** Resident: what lies in memory now, shared pages counted in full. */
  readonly rss: number;
  /** Resident, pages shared with other processes counted in parts; Linux. */
  readonly pss?: number;
  readonly heap: number;
}

export interface Footprint {
  readonly engineClass: EngineClass;
  readonly bytes: {
    /** Packed, in wasm memory. */
    readonly weights: number;
    /** Of language models: keys and values of all tokens. */
    readonly cache?: number;
    readonly arena: number;
    /** All wasm memory: planned, and taken to the page. */
    readonly memory: number;
    /** Compiled kernels: the modules that the model takes. */
    readonly wasm: number;
  };
  /** Node itself, octette imported, the model loaded, run once, disposed. */
  readonly steps: Readonly<Record<"node" | "octette" | "loaded" | "ran" | "disposed", Usage>>;
  /** Most that was ever resident. */
  readonly peak: number;
}

/** How the model is loaded; `language`, where it is one, as loadLanguageModel is told. */
export type FootprintOptions = ModelOptions | { readonly language: LanguageFootprintOptions };

interface LanguageFootprintOptions {
  readonly maxTokens?: number;
  readonly maxBytes: number | undefined;
  readonly threads?: number | undefined;
}

/** Tokens that a language model generates after a chunk of prompt. */
const GENERATED = 8;

function pssOf(): { pss?: number } {
  try {
    const kilobytes = /^Pss:\s+(\d+) kB/m.exec(readFileSync("/proc/self/smaps_rollup", "latin1"))?.[1];
    return kilobytes === undefined ? {} : { pss: 1024 * Number(kilobytes) };
  } catch {
    return {};
  }
}

/** Memory in use, once what is no longer needed is gone. */
async function usage(): Promise<Usage> {
  for (let i = 0; i < 2; i++) {
    await new Promise((resolve) => setTimeout(resolve, 10));
    globalThis.gc?.();
  }
  const { rss, heapUsed } = process.memoryUsage();
  return { rss, ...pssOf(), heap: heapUsed };
}

/** Bytes of the modules whose kernels a plan calls. */
async function wasmBytes(plan: Plan): Promise<number> {
  const { modules } = await import("../engine/modules");
  const { groupsWith } = await import("../engine/group-modules");
  const groups = groupsWith(kernelsOf(plan), [plan.engineClass]).map(([, wasm]) => wasm);
  const all = [modules.common, modules[plan.engineClass], ...groups];
  return all.reduce((bytes, { length }) => bytes + length, 0);
}

async function measureLanguage(path: string, options: LanguageFootprintOptions): Promise<Footprint> {
  const node = await usage();
  const { loadLanguageModel } = await import("../text/index");
  const octette = await usage();
  const model = await loadLanguageModel(path, options);
  const loaded = await usage();
  const { memory, engine, maxTokens } = model;
  if (model.facts.task === "next-token") {
    const session = model.session();
    const ids = new Int32Array(Math.min(model.decoder.chunk, Math.max(1, maxTokens - GENERATED)));
    for await (const _ of session.generate(ids, { maxTokens: Math.min(GENERATED, maxTokens - ids.length) }));
  } else await (await model.encoder()).run([Int32Array.of(0)], model.facts.task, {});
  const ran = await usage();
  model.dispose();
  const disposed = await usage();
  return {
    engineClass: engine.engineClass,
    bytes: {
      weights: memory.weights,
      cache: memory.cache,
      arena: memory.arena,
      memory: memory.total,
      wasm: await wasmBytes(model.plan),
    },
    steps: { node, octette, loaded, ran, disposed },
    peak: 1024 * process.resourceUsage().maxRSS,
  };
}

async function measure(path: string, options: ModelOptions): Promise<Footprint> {
  const node = await usage();
  const { load, tensor } = await import("../runtime/index");
  const octette = await usage();
  const model = await load(path === "-" ? process.stdin : path, options);
  const loaded = await usage();
  const { engineClass, maxima, memory } = model.plan;
  const feeds = model.inputs.map(({ name, dtype, shape }) => {
    const largest = shape.map((dim) => (typeof dim === "number" ? dim : maxima[dim]!));
    return [name, tensor(dtype, largest, [])] as const;
  });
  model.runSync(Object.fromEntries(feeds));
  const ran = await usage();
  model.dispose();
  const disposed = await usage();
  const wasm = await wasmBytes(model.plan);
  return {
    engineClass,
    bytes: { weights: memory.constantBytes, arena: memory.arenaBytes, memory: model.bytes, wasm },
    steps: { node, octette, loaded, ran, disposed },
    peak: 1024 * process.resourceUsage().maxRSS,
  };
}

const [path = "-", text = "{}"] = process.argv.slice(2);
const options: FootprintOptions = JSON.parse(text);
const measuring = "language" in options ? measureLanguage(path, options.language) : measure(path, options);
measuring.then(
  (footprint) => console.log(JSON.stringify(footprint)),
  (error: Error) => {
    console.error(error.message);
    process.exitCode = 1;
  },
);
