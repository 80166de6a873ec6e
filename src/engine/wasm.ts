// The compiled kernels: where their bytes come from, which engine class runs them, and how they are instantiated
// over one memory. `common` has one copy; the int8 kernels have one module an engine class; further modules are taken where a
// plan calls their kernels. One class, because the choice of an engine class changes which modules are read: its file is long.

import { classNameOf, OctetteError } from "../errors";
import type { Graph } from "../graph/graph";
import type { Constant } from "../graph/tensor";
import type { Kernels } from "../ops/op";
import type { KernelClass, Verdict, WasmSource } from "./classes";
import type { RelaxedDot } from "./features";
import { readBytes } from "./source";
import { sharing, type Threads } from "./threads";

/** An instruction set that int8 kernels are written for. */
export type EngineClass = "baseline" | "extmul" | "relaxed";
const CLASSES: readonly string[] = ["baseline", "extmul", "relaxed"];

/** The class that a module is compiled for, by its name: "relaxed", "languageRelaxed"; undefined where it is of none. */
const classOf = (name: string): string | undefined =>
  CLASSES.find((engineClass) => name.toLowerCase().endsWith(engineClass));

/** A source for each module, by name, bare or in its class. */
export type WasmSources = Readonly<Record<string, WasmSource | KernelClass | undefined>>;

/**
 * The modules of a runtime: `common`, the classes, and those of op groups, by any name; one whose name ends with that of a class is
 * taken in this class only. A class beside baseline comes with the probe that decides whether it runs.
 */
export interface Carried extends WasmSources {
  readonly common?: WasmSource;
  readonly baseline?: WasmSource;
  readonly extmul?: KernelClass;
  readonly relaxed?: KernelClass;
}

/** What modules import, as assembly/env.ts names it. */
export type Imports = { readonly env: { readonly memory: WebAssembly.Memory; readonly signs: number } };

/** Which class of kernels an engine runs. */
export interface ClassInfo {
  readonly engineClass: EngineClass;
  /** What the engine's relaxed dot product was found to do, where the runtime carries a class that uses it. */
  readonly relaxedDot?: RelaxedDot | undefined;
  /** Why this class, in words. */
  readonly reason: string;
}

/** The class, and the threads that run (of a runtime: that a model could have); `threadsReason` says why not more. */
export interface EngineInfo extends ClassInfo, Threads {}

/** Whether no weight is −128; of those that are not here, whether their file says so. */
const isNarrow = ({ nodes, constants }: Graph<Constant>) =>
  nodes.every(({ inputs, codes: own }) =>
    inputs.every((value, i) => {
      const codes = own?.inputs[i] && constants.get(value);
      return codes?.dtype !== "i8" || (codes.data ? !codes.data.includes(-128) : codes.isNarrow === true);
    }),
  );

type Imported = () => Promise<Uint8Array>;
/** What the toolkit's imports have, too: the bytes, where they can be had without waiting. */
type Ready = Imported & { readonly now?: () => Uint8Array | undefined };
type Distant = Response | URL | Imported;

/** Whether it is imported, once a plan calls a kernel that no other module has. */
const isImported = (source: WasmSource | KernelClass | undefined): source is Imported =>
  typeof source === "function";

const isClass = (given: WasmSource | KernelClass): given is KernelClass => "probe" in given;

/** Whether reading it takes time. (By name: to mention Response in Node loads its whole HTTP client.) */
const isDistant = (source: WasmSource | undefined): source is Distant =>
  isImported(source) || source instanceof URL || classNameOf(source) === "Response";

/** Compiled modules of a runtime, compiled when first asked for and kept. */
export class Engine {
  /** Inputs that a warning was given of. */
  readonly told = new WeakSet<object>();
  readonly #carried: Carried;
  /** Sources that a caller has instead of those carried. */
  readonly #own: WasmSources;
  /** By group and whether its memory is shared. */
  readonly #modules = new Map<string, WebAssembly.Module>();
  readonly #pending: Record<string, Promise<void>> = Object.create(null);
  /** What distant sources carried: a Response can be read only once. */
  readonly #read: Record<string, Promise<Uint8Array>> = Object.create(null);
  readonly #listeners = new Set<() => void>();
  readonly #verdicts: { extmul?: Verdict | undefined; relaxed?: Verdict | undefined } = {};
  #info: ClassInfo | undefined;
  /** Asks the probe again; until then the class can change. */
  #doubt: Verdict["doubt"];

  /** Modules that are added to `carried` later are found where a plan calls their kernels. */
  constructor(carried: Carried, own: WasmSources = {}) {
    this.#carried = carried;
    this.#own = own;
    for (const name of ["extmul", "relaxed"] as const)
      if (carried[name] ? !carried[name].probe : own[name])
        throw new OctetteError("nothing decides whether it runs", {
          code: "argument",
          where: `wasm.${name}`,
          hint: `Give it to createRuntime: ${name}Class(bytes), of octette/wasm`,
        });
  }

  /** The class this engine runs, found at first use and asked again when the probe is hot. */
  get info(): ClassInfo {
    if (this.#info) return this.#info;
    const verdict = this.#verdict("relaxed");
    if (!verdict?.isFit) return (this.#info = this.#second);
    this.#info = { engineClass: "relaxed", relaxedDot: verdict.relaxedDot, reason: verdict.reason };
    this.#doubt = verdict.doubt;
    afterwards(() => this.settle());
    return this.#info;
  }

  /** What runs where the relaxed class does not. */
  get #second(): ClassInfo {
    const verdicts = [this.#verdict("relaxed"), this.#verdict("extmul")];
    const reasons = verdicts.flatMap((verdict) => verdict?.reason ?? []);
    const isExtmul = verdicts[1] && (verdicts[1].isFit || !this.#given("baseline"));
    return {
      engineClass: isExtmul ? "extmul" : "baseline",
      relaxedDot: verdicts[0]?.relaxedDot,
      reason: reasons.join("; ") || "this runtime carries no other class",
    };
  }

  #verdict(name: "extmul" | "relaxed"): Verdict | undefined {
    return (this.#verdicts[name] ??= this.#carried[name]?.probe());
  }

  /** The class that runs a graph: not every engine's relaxed dot product takes weights of −128. */
  classFor(graph: Graph<Constant>): EngineClass {
    const { engineClass } = this.info;
    const isExact = engineClass !== "relaxed" || !this.#verdict("relaxed")!.isSigned;
    return isExact || isNarrow(graph) ? engineClass : this.#second.engineClass;
  }

  /** Asks the hot probe, if it was not asked: from here on the class does not change. */
  settle(): ClassInfo {
    void this.info;
    const reason = this.#doubt?.();
    this.#doubt = undefined;
    if (reason) this.#distrust(reason);
    this.#listeners.clear();
    return this.info;
  }

  /** Calls back, once, if the class in use turns out not to be trusted; returns how to stop listening. */
  onDistrust(listener: () => void): () => void {
    if (this.#doubt) this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  #distrust(reason: string): void {
    const { engineClass, relaxedDot } = this.#second;
    this.#info = { engineClass, relaxedDot, reason };
    console.warn(`octette: ${reason}; running ${engineClass} kernels instead`);
    for (const listener of this.#listeners) listener();
  }

  /** Why no threads can share the memory of this class's modules; undefined where they can. */
  unsharable(engineClass: EngineClass): string | undefined {
    const group = this.#names(engineClass).find((name) => this.#given(name) instanceof WebAssembly.Module);
    return group && `wasm.${group} was given compiled: only bytes can be made to share memory`;
  }

  /**
   * Compiles without blocking, as a page's main thread wants: `common` and a class, and of the other modules those that
   * have kernels of `called`, all where that is not known.
   */
  async prepare(engineClass: EngineClass, isShared = false, called?: Iterable<string>): Promise<void> {
    const first = new Set(called ? ["common", engineClass] : this.#names(engineClass));
    // What runs instead of a relaxed class can be read here only. Which that is takes a probe: only then it is asked.
    const seconds = [this.#given("baseline"), this.#given("extmul")];
    if (engineClass === "relaxed" && seconds.some(isDistant)) first.add(this.#second.engineClass);
    await Promise.all([...first].map((name) => this.#fetch(name, isShared)));
    const rest = this.#holding(engineClass, isShared, called ?? []);
    for (let step = rest.next(); !step.done; step = rest.next()) await this.#fetch(step.value, isShared);
  }

  /** The modules of a class that have kernels of `called`. Yields each that is looked into, for it to be compiled by then. */
  *#holding(
    engineClass: EngineClass,
    isShared: boolean,
    called: Iterable<string>,
  ): Generator<string, ReadonlyMap<string, WebAssembly.Module>> {
    const missing = new Set(called);
    const found = new Map<string, WebAssembly.Module>();
    for (const name of this.#names(engineClass)) {
      if (missing.size === 0) break;
      yield name;
      const module = this.#module(name, isShared);
      for (const kernel of WebAssembly.Module.exports(module))
        if (missing.delete(kernel.name)) found.set(name, module);
    }
    return found;
  }

  /** Reads and compiles a module, once however often it is asked for. */
  #fetch(group: string, isShared: boolean): Promise<void> {
    return (this.#pending[keyOf(group, isShared)] ??= this.#compile(group, isShared));
  }

  async #compile(group: string, isShared: boolean): Promise<void> {
    const key = keyOf(group, isShared);
    const source = this.#source(group);
    if (this.#modules.has(key) || source instanceof WebAssembly.Module) return;
    const bytes = isDistant(source)
      ? await (this.#read[group] ??= isImported(source) ? source() : readBytes(source))
      : source;
    try {
      this.#modules.set(key, await WebAssembly.compile(isShared ? sharing(bytes) : (bytes as BufferSource)));
    } catch (cause) {
      throw doesNotCompile(group, cause, bytes);
    }
  }

  /** Kernels of a class over one memory: those of `called`, and all others that their modules have. */
  instantiate(engineClass: EngineClass, memory: WebAssembly.Memory, called: Iterable<string>): Kernels {
    const modules = this.#found(engineClass, !(memory.buffer instanceof ArrayBuffer), called);
    const exports = [...modules].map(([group, module]) => {
      try {
        return new WebAssembly.Instance(module, this.imports(engineClass, memory)).exports;
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

  /** What the modules of a class take over a memory, in this thread or another. */
  imports(engineClass: EngineClass, memory: WebAssembly.Memory): Imports {
    const isSigned = engineClass === "relaxed" && this.#verdict(engineClass)?.isSigned;
    return { env: { memory, signs: isSigned ? 128 : 0 } };
  }

  /** The modules of a class over shared memory that have kernels of `called`. */
  modules(engineClass: EngineClass, called: Iterable<string>): readonly WebAssembly.Module[] {
    return [...this.#found(engineClass, true, called).values()];
  }

  #found(engineClass: EngineClass, isShared: boolean, called: Iterable<string>) {
    const walk = this.#holding(engineClass, isShared, called);
    for (;;) {
      const { done, value } = walk.next();
      if (done) return value;
    }
  }

  /** Names of the modules that a model in a class may take, those to import last. */
  #names(engineClass: EngineClass): string[] {
    const others = Object.keys({ ...this.#carried, ...this.#own });
    const own = others.filter((name) => [undefined, engineClass].includes(classOf(name) as EngineClass));
    const isLast = (name: string) => +isImported(this.#given(name));
    return [...new Set(["common", engineClass, ...own.sort((a, b) => isLast(a) - isLast(b))])];
  }

  #given(group: string): WasmSource | undefined {
    const given = this.#own[group] ?? this.#carried[group];
    return given && isClass(given) ? given.wasm : given;
  }

  #source(group: string): WasmSource {
    const source = this.#given(group);
    if (source) return source;
    throw new OctetteError("this runtime carries no such kernels", {
      code: "engine",
      where: `wasm.${group}`,
      hint: "Carry every class: octette bundle --class all, or all of octette/wasm",
    });
  }

  #module(group: string, isShared: boolean): WebAssembly.Module {
    const key = keyOf(group, isShared);
    const known = this.#modules.get(key);
    if (known) return known;
    const given = this.#source(group);
    const source = (isImported(given) && (given as Ready).now?.()) || given;
    if (isDistant(source))
      throw new OctetteError("its kernels are not here yet", {
        code: "unsupported",
        where: `wasm.${group}`,
        hint: `${isImported(source) ? "Call await preload() once before" : "Give its bytes"}, or take the asynchronous load()`,
      });
    try {
      const module =
        source instanceof WebAssembly.Module
          ? source
          : new WebAssembly.Module(isShared ? sharing(source) : (source as BufferSource));
      this.#modules.set(key, module);
      return module;
    } catch (cause) {
      throw doesNotCompile(group, cause, source);
    }
  }
}

const keyOf = (group: string, isShared: boolean) => `${group} ${isShared}`;

const doesNotCompile = (group: string, cause: unknown, wasm: unknown) =>
  new OctetteError(`the module does not compile: ${(cause as Error).message}`, {
    code: "engine",
    where: `wasm.${group}`,
    hint: WebAssembly.validate(wasm as BufferSource)
      ? "Allow 'wasm-unsafe-eval' in script-src, or give compiled modules: { wasm: { common, baseline } }"
      : classOf(group) === "relaxed"
        ? "This engine has no relaxed SIMD: leave engineClass out"
        : "octette needs WebAssembly SIMD: Node 20, Chrome 91, Firefox 89, Safari 16.4",
  });

/** Runs a task when the current work is done, without keeping a process alive for it. */
function afterwards(task: () => void): void {
  const timer: unknown = setTimeout(task, 0);
  if (typeof timer === "object" && timer !== null && "unref" in timer) (timer as { unref(): void }).unref();
}
