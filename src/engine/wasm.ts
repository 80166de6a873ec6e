// The compiled kernels: where their bytes come from, which engine class runs them, and how they are instantiated
// over one memory. `common` has one copy; the int8 kernels have one module an engine class.

import { OctetteError } from "../errors";
import type { Kernels } from "../ops/op";
import { probeRelaxedDot, type RelaxedDot, type RelaxedDotProbe } from "./features";
import { readBytes } from "./source";
import { sharing, type Threads } from "./threads";

/** Groups of kernels, each a wasm module. A class for s8·s8 engines takes its place beside `relaxed`. */
export type EngineClass = "baseline" | "relaxed";
/** `train` is there where the sources carry it. */
type Group = "common" | EngineClass | "train";

/** Where a module comes from: its bytes, a response or a file that carries them, or the compiled module. */
export type WasmSource = Uint8Array | Response | URL | WebAssembly.Module;
/** A source for each group; a class that has none is not run. */
export type WasmSources = Partial<Record<Group, WasmSource>>;

/** Which class of kernels an engine has. */
export interface ClassInfo {
  readonly engineClass: EngineClass;
  /** What the engine's relaxed dot product was found to do. */
  readonly relaxedDot: RelaxedDot;
  /** Why this class, in words. */
  readonly reason: string;
}

/** The class, and the threads that run (of a runtime: that a model could have); `threadsReason` says why not more. */
export interface EngineInfo extends ClassInfo, Threads {}

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

/** Whether reading it takes time. (By name: to mention Response in Node loads its whole HTTP client.) */
const isDistant = (source: WasmSource | undefined): source is Response | URL =>
  source instanceof URL || Object.prototype.toString.call(source) === "[object Response]";

/** Compiled modules of one set of sources, made when first asked for and kept. */
export class Engine {
  readonly #sources: WasmSources;
  readonly #probe: () => RelaxedDotProbe;
  /** By group and whether its memory is shared. */
  readonly #modules = new Map<string, WebAssembly.Module>();
  readonly #pending = new Map<string, Promise<void>>();
  /** What distant sources carried: a Response can be read only once. */
  readonly #read = new Map<Group, Promise<Uint8Array>>();
  readonly #listeners = new Set<() => void>();
  #info: ClassInfo | undefined;
  /** Asks the probe again; until then the class can change. */
  #hot: (() => RelaxedDot) | undefined;

  constructor(sources: WasmSources, probe = probeRelaxedDot) {
    this.#sources = sources;
    this.#probe = probe;
  }

  /** The class this engine runs, found at first use and asked again when the probe is hot. */
  get info(): ClassInfo {
    if (this.#info) return this.#info;
    const probe = this.#probe();
    const choice = choices[probe.cold];
    const isCarried = this.#sources[choice.engineClass] !== undefined;
    this.#info = { ...(isCarried ? choice : CARRIED_BASELINE), relaxedDot: probe.cold };
    if (this.#info.engineClass === "relaxed") {
      this.#hot = probe.hot;
      afterwards(() => this.settle());
    }
    return this.#info;
  }

  /** Asks the hot probe, if it was not asked: from here on the class does not change. */
  settle(): ClassInfo {
    const { relaxedDot } = this.info;
    const hot = this.#hot?.() ?? relaxedDot;
    this.#hot = undefined;
    if (hot !== relaxedDot) this.#distrust(relaxedDot, hot);
    this.#listeners.clear();
    return this.info;
  }

  /** Calls back, once, if the class in use turns out not to be trusted; returns how to stop listening. */
  onDistrust(listener: () => void): () => void {
    if (this.#hot) this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  #distrust(cold: RelaxedDot, hot: RelaxedDot): void {
    const reason = `the relaxed dot product changed from ${cold} to ${hot} when it was optimised`;
    this.#info = { engineClass: "baseline", relaxedDot: hot, reason };
    console.warn(`octette: ${reason}; running baseline SIMD instead`);
    for (const listener of this.#listeners) listener();
  }

  /** Why no threads can share the memory of this class's modules; undefined where they can. */
  unsharable(engineClass: EngineClass): string | undefined {
    const group = this.#groups(engineClass).find((name) => this.#sources[name] instanceof WebAssembly.Module);
    return group && `wasm.${group} was given compiled: only bytes can be made to share memory`;
  }

  /** Compiles what a class needs without blocking, as a page's main thread wants. */
  async prepare(engineClass: EngineClass, isShared = false): Promise<void> {
    const groups = new Set<Group>(this.#groups(engineClass));
    // What a distrusted class falls back on can be read here only.
    if (isDistant(this.#sources.baseline)) groups.add("baseline");
    await Promise.all([...groups].map((group) => this.#fetch(group, isShared)));
  }

  /** Reads and compiles a group, once however often it is asked for. */
  #fetch(group: Group, isShared: boolean): Promise<void> {
    const key = keyOf(group, isShared);
    const known = this.#pending.get(key);
    if (known) return known;
    const pending = this.#compile(group, isShared);
    this.#pending.set(key, pending);
    return pending;
  }

  async #compile(group: Group, isShared: boolean): Promise<void> {
    const key = keyOf(group, isShared);
    if (this.#modules.has(key)) return;
    const source = this.#source(group);
    if (source instanceof WebAssembly.Module) return void this.#modules.set(key, source);
    const bytes = isDistant(source) ? await this.#bytesOf(group, source) : source;
    try {
      this.#modules.set(key, await WebAssembly.compile(isShared ? sharing(bytes) : (bytes as BufferSource)));
    } catch (cause) {
      throw doesNotCompile(group, cause);
    }
  }

  #bytesOf(group: Group, source: Response | URL): Promise<Uint8Array> {
    const bytes = this.#read.get(group) ?? bytesOf(group, source);
    this.#read.set(group, bytes);
    return bytes;
  }

  /** All kernels of a class over one memory. */
  instantiate(engineClass: EngineClass, memory: WebAssembly.Memory): Kernels {
    const modules = this.modules(engineClass, !(memory.buffer instanceof ArrayBuffer));
    const exports = this.#groups(engineClass).map((group, i) => {
      try {
        return new WebAssembly.Instance(modules[i]!, { env: { memory } }).exports;
      } catch (cause) {
        throw new OctetteError(`the module does not fit: ${(cause as Error).message}`, {
          code: "engine",
          where: `wasm.${group}`,
          hint: "Take the wasm files of this version of octette",
        });
      }
    });
    return Object.assign({}, ...exports) as Kernels;
  }

  /** The modules of a class, for memory of one's own or shared memory. */
  modules(engineClass: EngineClass, isShared: boolean): readonly WebAssembly.Module[] {
    return this.#groups(engineClass).map((group) => this.#module(group, isShared));
  }

  #groups(engineClass: EngineClass): readonly Group[] {
    return this.#sources.train ? ["common", engineClass, "train"] : ["common", engineClass];
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

  #module(group: Group, isShared: boolean): WebAssembly.Module {
    const key = keyOf(group, isShared);
    const known = this.#modules.get(key);
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
        source instanceof WebAssembly.Module
          ? source
          : new WebAssembly.Module(isShared ? sharing(source) : (source as BufferSource));
      this.#modules.set(key, module);
      return module;
    } catch (cause) {
      throw doesNotCompile(group, cause);
    }
  }
}

const keyOf = (group: Group, isShared: boolean) => `${group} ${isShared}`;

async function bytesOf(group: Group, response: Response | URL): Promise<Uint8Array> {
  if (response instanceof URL) return readBytes(response);
  const where = `wasm.${group}`;
  if (!response.ok)
    throw new OctetteError(`server answered ${response.status} ${response.statusText}`, {
      code: "argument",
      where,
    });
  try {
    return new Uint8Array(await response.arrayBuffer());
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
