// Owns one wasm memory of the planned size and runs a plan in it, step by step.

import { OctetteError } from "../errors";
import { type Bindings, evaluateDim } from "../graph/symbols";
import type { Kernels } from "../ops/op";
import type { Plan, Step } from "./plan";
import type { Engine } from "./wasm";

type Call = (...args: number[]) => void;

/** A step with its kernel bound and its arguments evaluated for the current symbols. */
interface Ready {
  readonly step: Step;
  readonly call: Call;
  readonly args: number[];
}

export class Session {
  readonly plan: Plan;
  #memory: WebAssembly.Memory | undefined;
  #kernels: Kernels | undefined;
  #ready: Ready[] = [];
  #bindings = "";

  constructor(plan: Plan, engine: Engine) {
    this.plan = plan;
    const pages = plan.memory.totalBytes / 65536;
    this.#memory = new WebAssembly.Memory({ initial: pages, maximum: pages });
    this.#kernels = engine.instantiate(plan.engineClass, this.#memory);
    const bytes = new Uint8Array(this.#memory.buffer);
    for (const { copies, calls } of plan.loads) {
      for (const { at, content } of copies)
        bytes.set(new Uint8Array(content.buffer, content.byteOffset, content.byteLength), at);
      for (const { kernel, args } of calls) (this.#kernels[kernel] as Call)(...args);
    }
  }

  /** The memory's buffer. Throws after dispose(). */
  get buffer(): ArrayBuffer {
    if (!this.#memory)
      throw new OctetteError("the model was disposed", { code: "disposed", hint: "Load it again" });
    return this.#memory.buffer as ArrayBuffer;
  }

  /** Runs every step, with these values of the symbols. */
  run(bindings: Bindings): void {
    for (const { call, args } of this.#prepare(bindings)) call(...args);
  }

  /** Runs every step and reports how long each took, in milliseconds. */
  time(bindings: Bindings, report: (step: Step, index: number, milliseconds: number) => void): void {
    for (const [i, { step, call, args }] of this.#prepare(bindings).entries()) {
      const start = performance.now();
      call(...args);
      report(step, i, performance.now() - start);
    }
  }

  /** Lets go of the memory. Twice is harmless. */
  dispose(): void {
    this.#memory = undefined;
    this.#kernels = undefined;
    this.#ready = [];
    this.#bindings = "";
  }

  #prepare(bindings: Bindings): readonly Ready[] {
    const kernels = this.#kernels;
    if (!kernels) void this.buffer;
    const key = Object.entries(bindings).join();
    if (key === this.#bindings && this.#ready.length > 0) return this.#ready;
    this.#bindings = key;
    this.#ready = this.plan.steps.map((step) => ({
      step,
      call: kernels![step.kernel] as Call,
      args: [...step.args, 0, step.count].map((arg) => evaluateDim(arg, bindings)),
    }));
    return this.#ready;
  }
}
