// A training step in memory: its plan, a session of that, and the states in it by name.

import type { Plan, PlannedValue } from "../../engine/plan";
import { Session } from "../../engine/session";
import type { Engine, EngineClass } from "../../engine/wasm";
import { OctetteError } from "../../errors";
import type { Bindings } from "../../graph/symbols";
import { bytesIn, type Tensor, type TypedArray } from "../../graph/tensor";
import { CompiledStep } from "../step/compiled-step";
import { type Rounds, roundsOf } from "../step/micro-batches";
import type { TrainingStep } from "../step/step";
import type { Training } from "../training";

export interface RunningStepOptions {
  /** Most samples of a pass. */
  readonly batch: number;
  /** Carries the wasm group `train`. */
  readonly engine: Engine;
  /** Runs this class instead of the fastest one the engine computes right. */
  readonly engineClass?: EngineClass | undefined;
  /** Throws where a plan takes too much memory, before any is taken. */
  readonly checkPlan?: ((plan: Plan) => void) | undefined;
  readonly training?: Training | undefined;
}

export class RunningStep {
  readonly plan: Plan;
  /** What a forward pass sees beside loss and output. */
  readonly seen: TrainingStep["seen"];
  readonly #compiled: CompiledStep;
  readonly #session: Session;
  readonly #states: ReadonlyMap<string, PlannedValue>;
  /** What runs in micro-batches. */
  readonly #rounds: Rounds | undefined;

  /** Compiles a step and takes memory for it. */
  constructor(step: TrainingStep, options: RunningStepOptions) {
    const { batch, checkPlan, engine, engineClass = engine.classFor(step.graph), training } = options;
    this.seen = step.seen;
    this.#rounds = step.rounds;
    this.#compiled = new CompiledStep(step, batch, engineClass, training?.ops);
    this.plan = this.#compiled.plan;
    checkPlan?.(this.plan);
    this.#session = new Session(this.plan, engine);
    this.#states = new Map(this.plan.state.map((value) => [value.name, value] as const));
    this.#put(this.plan.loads);
  }

  /** Names of everything the step writes to: master weights, moments, codes. */
  get states(): readonly string[] {
    return [...this.#states.keys()];
  }

  has(state: string): boolean {
    return this.#states.has(state);
  }

  /** What a state holds, in place. */
  state(name: string): TypedArray {
    return this.#session.see(this.#states.get(name)!).data;
  }

  /** A constant, with the number that it has now. */
  constant(name: string): Tensor | undefined {
    return this.#compiled.constants.get(name);
  }

  /** Writes feeds to memory: those of `inputs`, which `bindings` give their shapes. */
  write(fed: ReadonlyMap<string, Tensor>, bindings: Bindings): void {
    this.#checkBatch(bindings);
    for (const value of this.plan.inputs) {
      const data = fed.get(value.name)?.data;
      if (data) this.#session.see(value, bindings).data.set(data);
    }
  }

  /** Runs the steps of an entry; of "backward" all that a backward pass is. */
  run(entry: "forward" | "backward" | "update", bindings: Bindings): void {
    for (const _ of this.pieces(entry, bindings));
  }

  /** As `run`, in pieces: yields between kernels wherever `isDue`. */
  *pieces(
    entry: "forward" | "backward" | "update",
    bindings: Bindings,
    isDue?: () => boolean,
  ): Generator<void> {
    for (const [name, symbols] of this.#entries(entry, bindings))
      for (let at: number | undefined = 0; ; ) {
        at = this.#session.run(symbols, name, isDue, at);
        if (at === undefined) break;
        yield;
      }
  }

  /** As `run`, adding the milliseconds of every step of the plan to `times`. */
  time(entry: "forward" | "backward" | "update", bindings: Bindings, times: number[]): void {
    for (const [name, symbols] of this.#entries(entry, bindings)) this.#session.time(symbols, times, name);
  }

  /** Copies of the outputs of the last run. */
  outputs(bindings: Bindings): Tensor[] {
    return this.plan.outputs.map((value) => {
      const { data, ...seen } = this.#session.see(value, bindings);
      return { ...seen, data: data.slice() };
    });
  }

  /** Gives constants other numbers; false where these need another step. */
  move(constants: ReadonlyMap<string, Tensor>): boolean {
    const loads = this.#compiled.move(constants);
    if (!loads) return false;
    this.#session.load(loads);
    this.#put(loads);
    return true;
  }

  dispose(): void {
    this.#session.dispose();
  }

  /** What an entry runs, and with what values of the symbols. */
  #entries(entry: string, bindings: Bindings): (readonly [entry: string, Bindings])[] {
    if (entry !== "backward") return [[entry, bindings]];
    const rounds = this.#rounds ? roundsOf(this.#rounds, bindings) : [];
    return [
      ["backward", bindings],
      ...rounds.map((symbols) => ["round", symbols] as const),
      ["finish", bindings],
    ];
  }

  /** Gives the loader the constants that groups copy. */
  #put(loads: Plan["loads"]): void {
    const { loader } = this.#session;
    for (const copy of loads.flatMap(({ copies }) => copies))
      if ("constant" in copy)
        loader.put(copy.constant, bytesIn(this.#compiled.constants.get(copy.constant)!.data));
  }

  #checkBatch(bindings: Bindings): void {
    for (const [symbol, most] of Object.entries(this.plan.maxima))
      if (bindings[symbol]! > most)
        throw new OctetteError(`"${symbol}" is larger than the step was made for`, {
          code: "limit",
          where: "train",
          expected: `at most ${most}`,
          got: `${bindings[symbol]}`,
        });
  }
}
