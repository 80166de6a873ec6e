// A graph being trained: its step in memory, and the numbers in it. Activations whose parameters move give it other numbers.

import { bindSymbols, checkFeeds, type Feeds } from "../../engine/feeds";
import type { Plan } from "../../engine/plan";
import type { Graph, Input } from "../../graph/graph";
import { type Bindings, evaluateShape } from "../../graph/symbols";
import type { Tensor, TypedArray } from "../../graph/tensor";
import { DROPOUT_SEED } from "../ops/dropout";
import { bindingsOf } from "../ops/update";
import {
  ACTIVATION_GRADIENTS,
  ACTIVATIONS,
  accumulate,
  descend,
  follow,
  startOf,
  withActivations,
} from "../step/activations";
import { dropping } from "../step/dropout";
import { exported } from "../step/export";
import { GRADIENT } from "../step/losses";
import { takesRounds } from "../step/plan";
import type { Parameter } from "../step/prepare";
import type { Shared } from "../step/quantization-groups";
import { gradientOf, type StepOptions, stepOf } from "../step/step";
import { training } from "../training";
import { RunningStep, type RunningStepOptions } from "./running-step";
import { MASKS, randomFor } from "./samples";

export interface TrainerOptions extends StepOptions, RunningStepOptions {
  /** Of the masks of Dropout; default 0. */
  readonly seed?: number | undefined;
}

/** What a forward pass found. */
export interface Judgement {
  readonly loss: number;
  /** The values that the losses judged, such as logits. */
  readonly output: Tensor;
}

export class Trainer {
  readonly parameters: readonly Parameter[];
  readonly #graph: Graph;
  #options: TrainerOptions;
  readonly #inputs: readonly Input[];
  #step: RunningStep;
  /** Constants with codes of the biases that are trained. */
  readonly #biases: ReadonlySet<string>;
  /** Activations whose parameters move. */
  readonly #shared: readonly Shared[];
  /** Symbols of the last forward pass. */
  #bindings: Bindings = {};

  /** `graph` is the deployed one; `parameters` are those of `parametersOf` that are to move. */
  constructor(graph: Graph, parameters: readonly Parameter[], options: TrainerOptions) {
    this.#graph = graph;
    this.#options = { ...options, inRounds: options.inRounds ?? takesRounds(graph, parameters, options) };
    this.parameters = parameters;
    this.#biases = new Set(parameters.flatMap((p) => (p.kind === "bias" && p.coded ? [p.coded.codes] : [])));
    const step = stepOf(graph, parameters, this.#options);
    this.#inputs = step.graph.inputs;
    this.#shared = step.shared;
    this.#step = new RunningStep(step, this.#options);
    for (const name of step.state) this.state(name).set(step.graph.constants.get(name)!.data);
  }

  get plan(): Plan {
    return this.#step.plan;
  }

  /** Bytes of wasm memory: all that training holds beside its data. */
  get bytes(): number {
    return this.plan.memory.totalBytes;
  }

  /** Names of everything a step writes to: master weights, moments, codes. */
  get states(): readonly string[] {
    return this.#step.states;
  }

  /** What a state holds, in place. */
  state(name: string): TypedArray {
    return this.#step.state(name);
  }

  /**
   * Forward and backward pass over the feeds of the model and of the losses. Where gradients are not kept it also updates:
   * with learning rate `lr`, as step number `count` (from 1) of the optimizer.
   */
  run(feeds: Feeds, lr: number, count: number): Judgement {
    const pieces = this.pieces(feeds, lr, count);
    for (;;) {
      const { done, value } = pieces.next();
      if (done) return value;
    }
  }

  /** As `run`, in pieces: yields between kernels wherever `isDue`. Until it returns, nothing else may run. */
  *pieces(feeds: Feeds, lr: number, count: number, isDue?: () => boolean): Generator<void, Judgement> {
    this.#settle(count);
    const bindings = this.#bind(feeds, this.#inputs, lr, count);
    yield* this.#step.pieces("forward", bindings, isDue);
    yield* this.#step.pieces("backward", bindings, isDue);
    const [loss, output, ...seen] = this.#step.outputs(bindings) as [Tensor, Tensor, ...Tensor[]];
    this.#moveActivations(seen, lr);
    return { loss: loss.data[0]!, output };
  }

  /** Where losses are given: the forward pass alone, number `count` (from 1), and the model's first output. */
  forward(feeds: Feeds, count: number): Tensor {
    this.#bindings = this.#bind(feeds, this.#graph.inputs, 0, count);
    this.#step.run("forward", this.#bindings);
    return this.#step.outputs(this.#bindings)[0]!;
  }

  /** The backward pass of the last `forward`, from the gradient of its output: adds to the gradients, once. */
  backward(gradient: Tensor): void {
    const input = this.#inputs.find(({ name }) => name === GRADIENT)!;
    const shape = evaluateShape(input.shape, this.#bindings);
    this.#step.write(checkFeeds([{ ...input, shape }], { [GRADIENT]: gradient }), this.#bindings);
    this.#step.run("backward", this.#bindings);
  }

  /** Milliseconds of every step of the plan in a pass over these feeds, as after `run`. */
  profile(feeds: Feeds, lr = 0): number[] {
    const bindings = this.#bind(feeds, this.#inputs, lr, 1);
    const times = this.plan.steps.map(() => 0);
    for (const entry of ["forward", "backward", "update"] as const) this.#step.time(entry, bindings, times);
    return times;
  }

  /** Where gradients are kept: updates with them, divided by the passes they were summed over, and forgets them. */
  update(lr: number, count: number, passes: number, clip = Infinity): void {
    const gradients = this.#gradients();
    const factor = Math.fround(Math.min(1 / passes, clip / normOf(gradients)));
    if (factor !== 1) for (const gradient of gradients) scale(gradient, factor);
    this.step(lr, count);
    this.zeroGradients();
    if (this.#options.activations?.kind !== "learned" || this.#shared.length === 0) return;
    this.#descend(this.#activationGradients, lr / passes);
    this.#activationGradients.fill(0);
  }

  /** Where gradients are kept: updates with them as they are. */
  step(lr: number, count: number): void {
    const symbols = Object.fromEntries(Object.keys(this.plan.maxima).map((symbol) => [symbol, 1]));
    const bindings = { ...symbols, ...bindingsOf(this.#options.optimizer, lr, count) };
    this.#step.run("update", bindings);
  }

  /** Where gradients are kept: forgets them. */
  zeroGradients(): void {
    for (const gradient of this.#gradients()) gradient.fill(0);
  }

  /** Weight codes that moved since this was asked last. */
  takeChanged(): number {
    let sum = 0;
    for (const { moving } of this.parameters) {
      if (!moving) continue;
      const changed = this.state(moving.changed) as Int32Array;
      sum += changed.reduce((a, b) => a + b, 0);
      changed.fill(0);
    }
    return sum;
  }

  /** Copies of all that the graph to deploy is made of: the master weights, and what the parameters of activations are. */
  numbers(): Map<string, Float32Array> {
    const names = this.parameters.map(({ name }) => name);
    if (this.#shared.length > 0) names.push(ACTIVATIONS);
    return new Map(names.map((name) => [name, this.state(name).slice() as Float32Array]));
  }

  /** The graph to deploy, of the numbers that there are now or were once. */
  graph(numbers: ReadonlyMap<string, Float32Array> = this.numbers()): Graph {
    return exported(this.#deployed(numbers.get(ACTIVATIONS)), this.parameters, numbers);
  }

  /** To be called when states were written from outside: the parameters of activations are taken from them. */
  restored(): void {
    if (this.#shared.length > 0) this.#rescale();
  }

  /** Lets go of the memory. Twice is harmless. */
  dispose(): void {
    this.#step.dispose();
  }

  [Symbol.dispose](): void {
    this.dispose();
  }

  /** Of all parameters that the loss depends on. */
  #gradients(): Float32Array[] {
    const names = this.parameters.map(({ name }) => gradientOf(name)).filter((name) => this.#step.has(name));
    return names.map((name) => this.state(name) as Float32Array);
  }

  /** The deployed graph with the parameters of activations that a state stands for. */
  #deployed(state: Float32Array | undefined): Graph {
    const { activations } = this.#options;
    return activations && state
      ? withActivations(this.#graph, this.#shared, activations.kind, state, this.#biases)
      : this.#graph;
  }

  /** Lets what a step saw move the parameters of activations, for the next one. */
  #moveActivations(tensors: readonly Tensor[], lr: number): void {
    const { activations, keepsGradients } = this.#options;
    if (!activations || this.#shared.length === 0) return;
    const values = tensors.values();
    const seen = this.#step.seen.map((names) => names.map(() => values.next().value!.data));
    if (activations.kind === "learned") {
      const gradients = keepsGradients ? this.#activationGradients : new Float32Array(this.#shared.length);
      accumulate(gradients, seen);
      if (!keepsGradients) this.#descend(gradients, lr);
    } else if (!activations.isSettled) {
      follow(this.state(ACTIVATIONS) as Float32Array, seen, activations.momentum);
      this.#rescale();
    }
  }

  /** Behind the step after which ranges stay, steps are made that do not look for them. */
  #settle(count: number): void {
    const { activations } = this.#options;
    if (activations?.kind !== "moving" || activations.isSettled || count <= activations.freezeAt) return;
    this.#options = { ...this.#options, activations: { ...activations, isSettled: true } };
    this.#recompile();
  }

  /** Where gradients are kept, those of learned scales of activations. */
  get #activationGradients(): Float32Array {
    return this.state(ACTIVATION_GRADIENTS) as Float32Array;
  }

  /** A step of the learned scales of activations. */
  #descend(gradients: Float32Array, lr: number): void {
    descend(this.state(ACTIVATIONS) as Float32Array, startOf("learned", this.#shared).data, gradients, lr);
    this.#rescale();
  }

  /** Goes on with the parameters of activations that the state stands for: the same steps with other numbers, where there are some. */
  #rescale(): void {
    const deployed = this.#deployed(this.state(ACTIVATIONS) as Float32Array);
    const moved = this.#movedIn(dropping(deployed, (this.#options.training ?? training).models));
    if (!this.#step.move(moved)) this.#recompile();
  }

  /** Constants that a graph has and this step has other numbers of. */
  #movedIn({ constants }: Graph): Map<string, Tensor> {
    const moved = [...constants].filter(([name, now]) => {
      const known = this.#step.has(name) ? now : this.#step.constant(name);
      return known !== now;
    });
    return new Map(moved);
  }

  /** Goes on with another step, of the same state. */
  #recompile(): void {
    const graph = this.#deployed(this.state(ACTIVATIONS) as Float32Array);
    const kept = this.states.map((name) => [name, this.state(name).slice()] as const);
    this.#step.dispose();
    this.#step = new RunningStep(stepOf(graph, this.parameters, this.#options, this.#shared), this.#options);
    for (const [name, data] of kept) this.state(name).set(data);
  }

  /** Writes the feeds of these inputs to memory; returns the values of all symbols. */
  #bind(feeds: Feeds, inputs: readonly Input[], lr: number, count: number): Bindings {
    const fed = checkFeeds(inputs, feeds);
    const shapes = bindSymbols(inputs, fed);
    this.#step.write(fed, shapes);
    const seed = randomFor(this.#options.seed ?? 0, MASKS, count).next();
    return { ...shapes, ...bindingsOf(this.#options.optimizer, lr, count), [DROPOUT_SEED]: seed };
  }
}

/** √Σ g² over all gradients, in f64 and in order. */
function normOf(gradients: readonly Float32Array[]): number {
  let sum = 0;
  for (const gradient of gradients)
    for (let i = 0; i < gradient.length; i++) sum += gradient[i]! * gradient[i]!;
  return Math.sqrt(sum);
}

function scale(gradient: Float32Array, factor: number): void {
  for (let i = 0; i < gradient.length; i++) gradient[i]! *= factor;
}
