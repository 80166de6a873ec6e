// Owns one wasm memory of the planned size and runs a plan in it, step by step.

import { OctetteError } from "../errors";
import { type Bindings, type Dim, evaluateDim, evaluateShape, symbolsOf } from "../graph/symbols";
import { type DType, sizeOf, type Tensor, type TypedArray, viewOf } from "../graph/tensor";
import type { Kernels } from "../ops/op";
import { Loader } from "./loader";
import { MAX_MEMORY_BYTES, PAGE } from "./memory";
import { kernelsOf, type LoadGroup, type Plan, type PlannedValue, type Ready } from "./plan";
import type { ThreadPool } from "./thread-pool";
import type { Engine } from "./wasm";

type Call = (...args: number[]) => unknown;

/** A step, its arguments that depend on symbols, and those. */
interface Whole extends Ready {
  readonly open: readonly { readonly at: number; readonly dim: string }[];
  readonly symbols: ReadonlySet<string>;
}

/** Steps of an entry that are ready for values of symbols. */
interface Entered {
  /** The first of them in the plan. */
  readonly from: number;
  /** The threads that take part in them. */
  readonly pool: ThreadPool | undefined;
  /** As one thread runs them. */
  readonly whole: readonly Whole[];
  readonly ready: Ready[];
  bindings: Bindings | undefined;
}

/** A planned value in memory. */
export interface PlacedTensor extends Tensor {
  readonly name: string;
}

export class Session {
  readonly #engine: Engine;
  #plan!: Plan;
  #bytes = 0;
  #loader: Loader | undefined;
  #memory: WebAssembly.Memory | undefined;
  #kernels: Kernels | undefined;
  /** Entries of the plan that ran. */
  readonly #entered = new Map<string, Entered>();
  #pool: ThreadPool | undefined;

  /** Takes memory for a plan, which may grow to `most` bytes. */
  constructor(plan: Plan, engine: Engine, most?: number) {
    this.#engine = engine;
    this.#memory = allocate(plan.memory.totalBytes, plan.threads > 1, most);
    this.plan = plan;
  }

  /** What runs. */
  get plan(): Plan {
    return this.#plan;
  }

  /**
   * Goes on with another plan; what both have at the same address stays there. Memory grows where it takes more: no view of it is
   * valid then.
   */
  set plan(plan: Plan) {
    const { totalBytes } = plan.memory;
    const more = totalBytes - this.buffer.byteLength;
    const memory = this.#memory!;
    try {
      if (more > 0) memory.grow(more / PAGE);
    } catch (cause) {
      throw noMemory(totalBytes, cause);
    }
    const called = [...kernelsOf(plan)];
    let kernels = this.#kernels;
    if (!kernels || called.some((name) => !(name in kernels!)))
      kernels = this.#engine.instantiate(plan.engineClass, memory, called);
    for (const name of called) kernelOf(kernels, name);
    this.#kernels = kernels;
    if (plan.loads !== this.#plan?.loads) this.load(plan.loads);
    this.#plan = plan;
    this.#bytes = this.buffer.byteLength;
    this.#entered.clear();
  }

  /** Begins to load groups of the plan: all of a new one, or those whose numbers changed, as arguments of steps may have. */
  load(groups: readonly LoadGroup[]): void {
    this.#entered.clear();
    this.#loader = this.loaderOf(groups);
  }

  /** What loads groups into its memory. */
  loaderOf(groups: readonly LoadGroup[]): Loader {
    const kernels = this.#kernels!;
    return new Loader(groups, new Uint8Array(this.buffer), (kernel, args) => {
      try {
        return kernelOf(kernels, kernel)(...args);
      } catch (cause) {
        throw failed("load", kernel, cause);
      }
    });
  }

  /** Takes the plan's constants. Throws after dispose(). */
  get loader(): Loader {
    void this.buffer;
    return this.#loader!;
  }

  /** The memory itself, for threads to share; undefined after dispose(). */
  get memory(): WebAssembly.Memory | undefined {
    return this.#memory;
  }

  /** Those who take parts of the steps, once they are up. */
  get pool(): ThreadPool | undefined {
    return this.#pool;
  }

  set pool(pool: ThreadPool | undefined) {
    this.#pool?.dispose();
    this.#pool = pool;
    if (!this.#memory) this.dispose();
  }

  /** Bytes of its memory: the most that any of its plans took. */
  get bytes(): number {
    return this.#bytes;
  }

  /** A value where it lies in memory, as large as symbols make it: valid until memory grows. */
  see({ name, type, address }: PlannedValue, bindings: Bindings = {}): PlacedTensor {
    const shape = evaluateShape(type.shape, bindings);
    const at = evaluateDim(address, bindings);
    return { name, dtype: type.dtype, shape, data: viewOf(type.dtype, this.buffer, at, sizeOf(shape)) };
  }

  /** The memory's buffer. Throws after dispose(). */
  get buffer(): ArrayBuffer {
    if (!this.#memory)
      throw new OctetteError("the model was disposed", { code: "disposed", hint: "Load it again" });
    return this.#memory.buffer as ArrayBuffer;
  }

  /**
   * Runs an entry with these values of the symbols: arguments are evaluated anew where a symbol's value is another one. It stops after
   * a step for which `after` is true, and goes on `from` there; returns the steps that are done, undefined at the end.
   */
  run(bindings: Bindings, entry = "run", after?: (step: number) => unknown, from = 0): number | undefined {
    const ready = this.#prepare(bindings, entry);
    let i = from;
    try {
      for (; i < ready.length; i++) {
        ready[i]!.call(...ready[i]!.args);
        if (after?.(i)) return i + 1;
      }
    } catch (cause) {
      const { node, kernel } = ready[i]!.step;
      throw failed(node, kernel, cause);
    }
    return undefined;
  }

  /** The same, and adds the milliseconds that each step of the plan took to `times`. */
  time(bindings: Bindings, times: number[], entry = "run"): void {
    const { from } = this.plan.entries[entry]!;
    this.#prepare(bindings, entry);
    let start = performance.now();
    this.run(bindings, entry, (i) => {
      const now = performance.now();
      times[from + i]! += now - start;
      start = performance.now();
    });
  }

  /** Lets go of the memory and ends its threads. Twice is harmless. */
  dispose(): void {
    this.#pool?.dispose();
    this.#pool = undefined;
    this.#loader = undefined;
    this.#memory = undefined;
    this.#kernels = undefined;
    this.#entered.clear();
  }

  #prepare(bindings: Bindings, entry: string): readonly Ready[] {
    void this.buffer; // throws after dispose()
    const pool = this.#pool?.isUp ? this.#pool : undefined;
    let entered = this.#entered.get(entry);
    if (!entered || entered.pool !== pool) this.#entered.set(entry, (entered = this.#enter(entry, pool)));
    if (bindings !== entered.bindings) this.#bind(entered, bindings);
    return entered.ready;
  }

  /** Makes the steps of an entry ready, but for arguments that depend on symbols. */
  #enter(entry: string, pool: ThreadPool | undefined): Entered {
    const { from, to } = this.plan.entries[entry]!;
    const whole = this.plan.steps.slice(from, to).map((step) => {
      const args = step.count === undefined ? [...step.args] : [...step.args, 0, step.count];
      const open = args.flatMap((dim, at) => (typeof dim === "string" ? { at, dim } : []));
      const symbols = new Set(open.flatMap(({ dim }) => symbolsOf(dim)));
      return { step, call: kernelOf(this.#kernels!, step.kernel), args: args as number[], open, symbols };
    });
    pool?.enter(this.plan.memory);
    return { from, pool, whole, ready: [...whole], bindings: undefined };
  }

  /** Evaluates the arguments that depend on symbols whose values were others before. */
  #bind(entered: Entered, bindings: Bindings): void {
    const { from, pool, whole, ready, bindings: before } = entered;
    // Where a symbol has no value, what is ready is of no values.
    entered.bindings = undefined;
    const evaluate = (dim: Dim) => evaluateDim(dim, bindings);
    const moved = before && Object.keys(bindings).filter((symbol) => before[symbol] !== bindings[symbol]);
    for (const [i, one] of whole.entries()) {
      if (moved && !moved.some((symbol) => one.symbols.has(symbol))) continue;
      for (const { at, dim } of one.open) one.args[at] = evaluate(dim);
      if (pool) ready[i] = pool.spread(one, from + i, evaluate);
    }
    entered.bindings = bindings;
  }
}

/** Memory that may grow to `most` bytes, or not at all where the engine does not reserve as much. */
function allocate(bytes: number, shared: boolean, most = bytes): WebAssembly.Memory {
  const initial = bytes / PAGE;
  const maximum = Math.max(initial, Math.floor(Math.min(most, MAX_MEMORY_BYTES) / PAGE));
  try {
    return new WebAssembly.Memory({ initial, maximum, shared });
  } catch (cause) {
    if (maximum > initial) return allocate(bytes, shared);
    throw noMemory(bytes, cause);
  }
}

const noMemory = (bytes: number, cause: unknown) =>
  new OctetteError(`this engine has no such memory to give: ${(cause as Error).message}`, {
    code: "limit",
    got: `${bytes} bytes`,
    hint: "Lower the maximum batch: load(bytes, { maxima: { batch: 1 } })",
  });

function kernelOf(kernels: Kernels, name: string): Call {
  const kernel = (kernels as unknown as Record<string, Call | undefined>)[name];
  if (kernel) return kernel;
  throw new OctetteError(`wasm has no kernel "${name}"`, {
    code: "engine",
    hint: "Take the wasm files of this version of octette, with floats for float layers and those of the op groups that the model needs",
  });
}

/** Wasm trapped: only a damaged model, whose numbers fit no memory, gets there. */
function failed(where: string, kernel: string, cause: unknown): OctetteError {
  if (cause instanceof OctetteError) return cause;
  return new OctetteError(`kernel "${kernel}" failed: ${(cause as Error).message}`, {
    code: "engine",
    where,
  });
}

/** i8 codes are held in memory with the top bit flipped: in place, either way, four at a time. */
export function flipFor(dtype: DType, data: TypedArray): TypedArray {
  if (dtype !== "i8") return data;
  const { buffer, byteOffset, length } = data;
  let i = 0;
  for (; i < length && (byteOffset + i) & 3; i++) data[i]! ^= 0x80;
  if (i + 4 <= length) {
    const words = new Uint32Array(buffer, byteOffset + i, (length - i) >> 2);
    for (let w = 0; w < words.length; w++, i += 4) words[w]! ^= 0x80808080;
  }
  for (; i < length; i++) data[i]! ^= 0x80;
  return data;
}
