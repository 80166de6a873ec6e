// The compiled kernels: where their bytes come from, which engine class runs them, and how they are instantiated
// over one memory. `common` has one copy; the int8 kernels have one module an engine class.

import { OctetteError } from "../errors";
import type { Kernels } from "../ops/op";
import { probeRelaxedDot, type RelaxedDot, type RelaxedDotProbe } from "./features";
import { readBytes } from "./source";

/** Groups of kernels, each a wasm module. A class for s8·s8 engines takes its place beside `relaxed`. */
export type EngineClass = "baseline" | "relaxed";
type Group = "common" | EngineClass;

/** Where a module comes from: its bytes, a response or a file that carries them, or the compiled module. */
export type WasmSource = Uint8Array | Response | URL | WebAssembly.Module;
/** A source for each group; a class that has none is not run. */
export type WasmSources = Partial<Record<Group, WasmSource>>;

export interface EngineInfo {
  readonly engineClass: EngineClass;
  /** What the engine's relaxed dot product was found to do. */
  readonly relaxedDot: RelaxedDot;
  /** Why this class, in words. */
  readonly reason: string;
}

/** What runs where the sources have no kernels of the class that the engine would run. */
const CARRIED_BASELINE = { engineClass: "baseline", reason: "this runtime carries no other class" } as const;

/** Why each finding leads to its class. */
const choices: Record<RelaxedDot, { engineClass: EngineClass; reason: string }> = {
  absent: { engineClass: "baseline", reason: "this engine has no relaxed SIMD" },
  broken: { engineClass: "baseline", reason: "this engine's relaxed dot product is wrong" },
  "u8s8-saturating": {
    engineClass: "baseline",
    reason: "this engine's relaxed dot product saturates in 16 bits",
  },
  u8s8: { engineClass: "relaxed", reason: "this engine's relaxed dot product is exact over 8 bits" },
  s8s8: {
    engineClass: "baseline",
    reason: "this engine's relaxed dot product is s8·s8, which has no class yet",
  },
  "s8s8-wrapping": {
    engineClass: "baseline",
    reason: "this engine's relaxed dot product wraps at −128·−128",
  },
};

/** Whether reading it takes time. */
const isDistant = (source: WasmSource | undefined): source is Response | URL =>
  source instanceof URL || (typeof Response !== "undefined" && source instanceof Response);

/** Compiled modules of one set of sources, made when first asked for and kept. */
export class Engine {
  readonly #sources: WasmSources;
  readonly #probe: () => RelaxedDotProbe;
  readonly #modules = new Map<Group, WebAssembly.Module>();
  readonly #pending = new Map<Group, Promise<void>>();
  readonly #listeners = new Set<() => void>();
  #info: EngineInfo | undefined;
  /** The class can no longer change. */
  #isSettled = false;

  constructor(sources: WasmSources, probe = probeRelaxedDot) {
    this.#sources = sources;
    this.#probe = probe;
  }

  /** The class this engine runs, found at first use and asked again when the probe is hot. */
  get info(): EngineInfo {
    if (this.#info) return this.#info;
    const probe = this.#probe();
    const choice = choices[probe.cold];
    const isCarried = this.#sources[choice.engineClass] !== undefined;
    this.#info = { ...(isCarried ? choice : CARRIED_BASELINE), relaxedDot: probe.cold };
    if (this.#info.engineClass === "baseline") this.#settle();
    else afterwards(() => this.#confirm(probe.hot()));
    return this.#info;
  }

  /** Calls back, once, if the class in use turns out not to be trusted; returns how to stop listening. */
  onDistrust(listener: () => void): () => void {
    if (!this.#isSettled) this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  #confirm(hot: RelaxedDot): void {
    const { relaxedDot } = this.info;
    if (hot !== relaxedDot) {
      const reason = `the relaxed dot product changed from ${relaxedDot} to ${hot} when it was optimised`;
      this.#info = { engineClass: "baseline", relaxedDot: hot, reason };
      console.warn(`octette: ${reason}; running baseline SIMD instead`);
      for (const listener of this.#listeners) listener();
    }
    this.#settle();
  }

  #settle(): void {
    this.#isSettled = true;
    this.#listeners.clear();
  }

  /** Compiles what a class needs without blocking, as a page's main thread wants. */
  async prepare(engineClass: EngineClass): Promise<void> {
    const groups = new Set<Group>(["common", engineClass]);
    // What a distrusted class falls back on can be read here only.
    if (isDistant(this.#sources.baseline)) groups.add("baseline");
    await Promise.all([...groups].map((group) => this.#fetch(group)));
  }

  /** Reads and compiles a group, once however often it is asked for. */
  #fetch(group: Group): Promise<void> {
    const known = this.#pending.get(group);
    if (known) return known;
    const pending = this.#compile(group);
    this.#pending.set(group, pending);
    return pending;
  }

  async #compile(group: Group): Promise<void> {
    if (this.#modules.has(group)) return;
    const source = this.#source(group);
    if (source instanceof WebAssembly.Module) return void this.#modules.set(group, source);
    const bytes = isDistant(source) ? await bytesOf(group, source) : source;
    try {
      this.#modules.set(group, await WebAssembly.compile(bytes as BufferSource));
    } catch (cause) {
      throw doesNotCompile(group, cause);
    }
  }

  /** All kernels of a class over one memory. */
  instantiate(engineClass: EngineClass, memory: WebAssembly.Memory): Kernels {
    const exports = (["common", engineClass] as const).map((group) => {
      try {
        return new WebAssembly.Instance(this.#module(group), { env: { memory } }).exports;
      } catch (cause) {
        if (cause instanceof OctetteError) throw cause;
        throw new OctetteError(`the module does not fit: ${(cause as Error).message}`, {
          code: "engine",
          where: `wasm.${group}`,
          hint: "Take the wasm files of this version of octette",
        });
      }
    });
    return Object.assign({}, ...exports) as Kernels;
  }

  #source(group: Group): WasmSource {
    const source = this.#sources[group];
    if (source) return source;
    throw new OctetteError("this runtime carries no such kernels", {
      code: "engine",
      where: `wasm.${group}`,
      hint: "Carry every class that the engine may run: octette bundle --class both, or all of octette/wasm",
    });
  }

  #module(group: Group): WebAssembly.Module {
    const known = this.#modules.get(group);
    if (known) return known;
    const source = this.#source(group);
    if (isDistant(source))
      throw new OctetteError(`a ${source.constructor.name} cannot be read synchronously`, {
        code: "argument",
        where: `wasm.${group}`,
        hint: "Use the asynchronous load(), or pass bytes or a WebAssembly.Module",
      });
    try {
      const module =
        source instanceof WebAssembly.Module ? source : new WebAssembly.Module(source as BufferSource);
      this.#modules.set(group, module);
      return module;
    } catch (cause) {
      throw doesNotCompile(group, cause);
    }
  }
}

async function bytesOf(group: Group, response: Response | URL): Promise<Uint8Array | ArrayBuffer> {
  if (response instanceof URL) return readBytes(response);
  const where = `wasm.${group}`;
  if (!response.ok)
    throw new OctetteError(`server answered ${response.status} ${response.statusText}`, {
      code: "argument",
      where,
    });
  try {
    return await response.arrayBuffer();
  } catch (cause) {
    throw new OctetteError(`cannot be read: ${(cause as Error).message}`, { code: "argument", where });
  }
}

const doesNotCompile = (group: Group, cause: unknown) =>
  new OctetteError(`the module does not compile: ${(cause as Error).message}`, {
    code: "engine",
    where: `wasm.${group}`,
    hint: "octette needs WebAssembly SIMD: Node 16.4, Chrome 91, Firefox 89 or Safari 16.4 at least",
  });

/** Runs a task when the current work is done, without keeping a process alive for it. */
function afterwards(task: () => void): void {
  const timer: unknown = setTimeout(task, 0);
  if (typeof timer === "object" && timer !== null && "unref" in timer) (timer as { unref(): void }).unref();
}
