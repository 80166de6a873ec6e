// Owns one wasm memory of the planned size and runs a plan in it, step by step.

import { OctetteError } from "../errors";
import { type Bindings, type Dim, evaluateDim } from "../graph/symbols";
import type { Kernels } from "../ops/op";
import { Loader } from "./loader";
import type { Plan, Step } from "./plan";
import type { Crew } from "./threads-crew";
import type { Engine } from "./wasm";

type Call = (...args: number[]) => void;

/** A step with its kernel bound and its arguments evaluated for the current symbols. */
export interface Ready {
  readonly step: Step;
  readonly call: Call;
  readonly args: number[];
}

export class Session {
  #plan: Plan;
  #loader: Loader | undefined;
  #memory: WebAssembly.Memory | undefined;
  #kernels: Kernels | undefined;
  #ready: Ready[] = [];
  #bindings: Bindings | undefined;
  #crew: Crew | undefined;
  /** The crew that takes part in what is ready. */
  #readyFor: Crew | undefined;

  constructor(plan: Plan, engine: Engine) {
    this.#plan = plan;
    this.#memory = allocate(plan.memory.totalBytes, plan.threads > 1);
    this.#kernels = engine.instantiate(plan.engineClass, this.#memory);
    this.#loader = loaderOf(plan, this.#memory, this.#kernels);
  }

  /** What runs. */
  get plan(): Plan {
    return this.#plan;
  }

  /** Whether another plan has its values where those of this one are. */
  fits(plan: Plan): boolean {
    return plan.threads === 1 && placesOf(plan) === placesOf(this.#plan);
  }

  /**
   * Goes on with a plan that fits. Its constants are to be loaded, which takes the memory of everything but the state.
   * Throws where it does not.
   */
  replace(plan: Plan): void {
    void this.buffer;
    if (!this.fits(plan))
      throw new OctetteError("a plan of another layout cannot take its place", {
        code: "engine",
        where: "session",
        expected: placesOf(this.#plan),
        got: placesOf(plan),
      });
    this.#plan = plan;
    this.#loader = loaderOf(plan, this.#memory!, this.#kernels!);
    this.#ready = [];
    this.#bindings = undefined;
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
  get crew(): Crew | undefined {
    return this.#crew;
  }

  set crew(crew: Crew | undefined) {
    this.#crew?.dispose();
    this.#crew = crew;
    if (!this.#memory) this.dispose();
  }

  /** The memory's buffer. Throws after dispose(). */
  get buffer(): ArrayBuffer {
    if (!this.#memory)
      throw new OctetteError("the model was disposed", { code: "disposed", hint: "Load it again" });
    return this.#memory.buffer as ArrayBuffer;
  }

  /** Runs every step, or those in [from, to), with these values of the symbols: arguments are evaluated anew only for another object. */
  run(bindings: Bindings, from = 0, to = this.#plan.steps.length): void {
    const ready = this.#prepare(bindings);
    let i = from;
    try {
      for (; i < to; i++) ready[i]!.call(...ready[i]!.args);
    } catch (cause) {
      const { node, kernel } = ready[i]!.step;
      throw failed(node, kernel, cause);
    }
  }

  /** Runs every step and reports how long each took, in milliseconds. */
  time(bindings: Bindings, report: (step: Step, index: number, milliseconds: number) => void): void {
    for (const [i, { step, call, args }] of this.#prepare(bindings).entries()) {
      const start = performance.now();
      call(...args);
      report(step, i, performance.now() - start);
    }
  }

  /** Lets go of the memory and ends its threads. Twice is harmless. */
  dispose(): void {
    this.#crew?.dispose();
    this.#crew = undefined;
    this.#loader = undefined;
    this.#memory = undefined;
    this.#kernels = undefined;
    this.#ready = [];
    this.#bindings = undefined;
  }

  #prepare(bindings: Bindings): readonly Ready[] {
    const kernels = this.#kernels;
    if (!kernels) void this.buffer;
    const crew = this.#crew?.isUp ? this.#crew : undefined;
    if (bindings === this.#bindings && crew === this.#readyFor) return this.#ready;
    this.#bindings = bindings;
    this.#readyFor = crew;
    const evaluate = (dim: Dim) => evaluateDim(dim, bindings);
    const ready = this.#plan.steps.map((step) => ({
      step,
      call: kernelOf(kernels!, step.kernel),
      args: (step.count === undefined ? step.args : [...step.args, 0, step.count]).map(evaluate),
    }));
    this.#ready = crew?.spread(ready, evaluate) ?? ready;
    return this.#ready;
  }
}

/** Takes the constants of a plan, all of whose kernels are there. */
function loaderOf(plan: Plan, memory: WebAssembly.Memory, kernels: Kernels): Loader {
  for (const { kernel } of plan.steps) kernelOf(kernels, kernel);
  return new Loader(plan.loads, new Uint8Array(memory.buffer), (kernel, args) => {
    try {
      kernelOf(kernels, kernel)(...args);
    } catch (cause) {
      throw failed("load", kernel, cause);
    }
  });
}

/** Where everything lies that is there between two runs, in a memory of what size. */
const placesOf = ({ engineClass, memory, inputs, outputs, taps, state }: Plan): string =>
  JSON.stringify({
    engineClass,
    memory,
    values: [inputs, outputs, taps, state].map((values) =>
      values.map(({ name, address }) => [name, address]),
    ),
  });

function allocate(bytes: number, shared: boolean): WebAssembly.Memory {
  const pages = bytes / 65536;
  try {
    return new WebAssembly.Memory({ initial: pages, maximum: pages, shared });
  } catch (cause) {
    throw new OctetteError(`this engine has no such memory to give: ${(cause as Error).message}`, {
      code: "limit",
      got: `${bytes} bytes`,
      hint: "Lower the maximum batch: load(bytes, { maxima: { batch: 1 } })",
    });
  }
}

function kernelOf(kernels: Kernels, name: string): Call {
  const kernel = (kernels as unknown as Record<string, Call | undefined>)[name];
  if (kernel) return kernel;
  throw new OctetteError(`wasm has no kernel "${name}"`, {
    code: "engine",
    hint: "Take the wasm files of this version of octette; bundle a model's own",
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
