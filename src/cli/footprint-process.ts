// Loads and runs a model in a process of its own and says what memory each step took: started by `octette footprint`, whose
// own code would count otherwise. Arguments: the model's path ("-" for standard input) and its load options as JSON.

import { readFileSync } from "node:fs";
import { kernelsOf } from "../engine/plan";
import type { EngineClass, ModelOptions } from "../runtime";

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

async function measure(path: string, options: ModelOptions): Promise<Footprint> {
  const node = await usage();
  const { load, tensor } = await import("../runtime");
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
  const { modules } = await import("../engine/modules");
  const { groupsWith } = await import("../engine/group-modules");
  const groups = groupsWith(kernelsOf(model.plan), [engineClass]).map(([, wasm]) => wasm);
  const wasm = [modules.common, modules[engineClass], ...groups].reduce(
    (bytes, { length }) => bytes + length,
    0,
  );
  return {
    engineClass,
    bytes: { weights: memory.constantBytes, arena: memory.arenaBytes, memory: model.bytes, wasm },
    steps: { node, octette, loaded, ran, disposed },
    peak: 1024 * process.resourceUsage().maxRSS,
  };
}

const [path = "-", options = "{}"] = process.argv.slice(2);
measure(path, JSON.parse(options)).then(
  (footprint) => console.log(JSON.stringify(footprint)),
  (error: Error) => {
    console.error(error.message);
    process.exitCode = 1;
  },
);
