// A model in the training loop: forward(), backward() and step() are entries of one compiled plan (train/trainer.ts). Between steps it
// is a graph to deploy, and evaluation runs that very graph.

import { bindSymbols, checkFeeds, type Feeds } from "../engine/feeds";
import type { Model } from "../engine/model";
import { OctetteError } from "../errors";
import type { Graph } from "../graph/graph";
import type { Tensor, TypedArray } from "../graph/tensor";
import { withCompanions } from "../train/run/select";
import { Trainer } from "../train/run/trainer";
import { evaluated } from "../train/run/validate";
import { withOwnScales, withoutDropout } from "../train/step/dropout";
import type { Optimizer as OptimizerNumbers } from "../train/step/optimizers";
import { type Parameter as Found, type Masters, parametersOf } from "../train/step/prepare";
import { engine } from "./engine";
import type { Optimizer } from "./optimizers";

/** What a forward pass made. */
export interface Output extends Tensor {
  /**
   * The backward pass, of outputs that were made while training.
   * @internal
   */
  readonly leadBack?: (gradient: Tensor) => void;
}

/** A weight or a bias that an optimizer can move. */
export class Parameter {
  /** @internal */
  readonly model: Trainable;
  /** As PyTorch names it, such as "fc.weight". */
  readonly name: string;
  readonly shape: readonly number[];

  /** @internal */
  constructor(model: Trainable, { name, start }: Found) {
    this.model = model;
    this.name = name;
    this.shape = start.shape;
  }

  /** The float behind it as it is now, a copy: of quantized weights the master that codes are made of. */
  get data(): Float32Array {
    return this.model.masterOf(this.name);
  }
}

/** The optimizer and what it moves. */
interface Moved {
  readonly by: Optimizer;
  readonly numbers: OptimizerNumbers;
  readonly parameters: readonly Found[];
}

/**
 * A float or quantized graph that can be trained: what `trainable`, `quantizeDynamic` and `prepareQat` give. It holds wasm memory until
 * dispose().
 */
export class Trainable {
  /** The graph and the floats behind its codes as the trainer found them. */
  #graph: Graph;
  #found: readonly Found[];
  readonly #seed: number;
  /** Forward passes while training: each drops other elements. */
  #passes = 0;
  #isTraining = false;
  #moved: Moved | undefined;
  #trainer: Trainer | undefined;
  #batch = 0;
  /** Of the graph as it is now; made when evaluation asks for it. */
  #deployed: Model | undefined;
  /** The last forward pass, while a backward pass may follow it. */
  #pass: symbol | undefined;
  /** What the gradients hold: nothing, sums of backward passes, or what a step has used already. */
  #gradients: "none" | "summed" | "used" = "none";

  /** @internal */
  constructor(graph: Graph, masters?: Masters, seed = 0) {
    this.#graph = withOwnScales(graph);
    this.#found = parametersOf(this.#graph, masters).filter(({ kind }) => kind !== "scale");
    this.#seed = seed;
  }

  /** Everything that can be moved, in the order of the graph. Leave some out, and they stay as they are. */
  parameters(): Parameter[] {
    return this.#found.map((found) => new Parameter(this, found));
  }

  /**
   * From here on forward() is followed by a backward pass. The numbers it gives are those of eval(), but for what Dropout drops:
   * training runs the deployed kernels, and statistics of BatchNorm are frozen.
   */
  train(): this {
    this.#isTraining = true;
    return this;
  }

  /** From here on forward() is that of the deployed model. It begins so. */
  eval(): this {
    this.#isTraining = false;
    return this;
  }

  /**
   * Runs the model over a batch: its input as a tensor or a bare array of its elements, or its inputs by name. While training,
   * the optimizer must be there.
   */
  forward(input: Tensor | TypedArray | Feeds): Output {
    const feeds = this.#feedsOf(input);
    if (!this.#isTraining) {
      const { [this.#graph.outputs[0]!]: output } = this.#model().runSync(feeds);
      return output!;
    }
    const output = this.#trainerFor(sizeOf(this.#graph, feeds)).forward(feeds, ++this.#passes);
    const pass = Symbol("pass");
    this.#pass = pass;
    return { ...output, leadBack: (gradient) => this.#backward(pass, gradient) };
  }

  /** The graph to deploy, with the numbers there are now: to save, load, evaluate, or go on from. */
  graph(): Graph {
    return withoutDropout(this.#trainer?.graph() ?? this.#graph);
  }

  /** Bytes of wasm memory that training holds; 0 before its first forward pass. */
  get bytes(): number {
    return this.#trainer?.bytes ?? 0;
  }

  /** Lets go of the memory. Twice is harmless, and the next forward pass takes it again. */
  dispose(): void {
    this.#settle();
    this.#deployed?.dispose();
    this.#deployed = undefined;
  }

  /** As `dispose`: with `using trained = trainable(model)`, memory is let go of where the block ends. */
  [Symbol.dispose](): void {
    this.dispose();
  }

  /** @internal */
  masterOf(name: string): Float32Array {
    const isMoved = this.#trainer?.parameters.some((parameter) => parameter.name === name);
    const now = isMoved
      ? this.#trainer!.state(name)
      : this.#found.find((found) => found.name === name)!.start.data;
    return now.slice() as Float32Array;
  }

  /** @internal */
  attach(by: Optimizer, numbers: OptimizerNumbers, parameters: readonly Parameter[]): void {
    this.#settle();
    const names = new Set(parameters.map(({ name }) => name));
    const moved = this.#found.filter(({ name }) => names.has(name));
    this.#moved = { by, numbers, parameters: withCompanions(this.#found, moved) };
  }

  /** @internal */
  zeroGrad(by: Optimizer): void {
    this.#checkOptimizer(by);
    this.#trainer?.zeroGradients();
    this.#gradients = "none";
  }

  /** @internal */
  step(by: Optimizer, lr: number, count: number): void {
    this.#checkOptimizer(by);
    if (this.#gradients !== "summed")
      throw outOfOrder("step", "there are no gradients to step by", "Call loss.backward() first");
    this.#trainer!.step(lr, count);
    this.#gradients = "used";
    this.#pass = undefined;
    this.#deployed?.dispose();
    this.#deployed = undefined;
  }

  #backward(pass: symbol, gradient: Tensor): void {
    if (pass !== this.#pass)
      throw outOfOrder(
        "backward",
        "the forward pass of this loss is over: another forward pass, a backward pass or a step came after it",
        "Call forward() and the loss again, then backward()",
      );
    if (this.#gradients === "used")
      throw outOfOrder(
        "backward",
        "the gradients are still those of the last step",
        "Call optimizer.zeroGrad() first",
      );
    this.#trainer!.backward(gradient);
    this.#pass = undefined;
    this.#gradients = "summed";
  }

  #checkOptimizer(by: Optimizer): void {
    if (this.#moved?.by === by) return;
    throw outOfOrder("optimizer", "another one took its place", "Use the optimizer that was made last");
  }

  /** The compiled step, made anew where a batch is larger than any before. */
  #trainerFor(batch: number): Trainer {
    if (this.#trainer && batch <= this.#batch) return this.#trainer;
    if (!this.#moved)
      throw outOfOrder(
        "forward",
        "no optimizer moves the model that is to be trained",
        "Make one first: new SGD(model.parameters(), { lr: 0.01 }); or call eval()",
      );
    const before = this.#trainer;
    const { numbers, parameters } = this.#moved;
    engine.settle();
    const trainer = new Trainer(this.#graph, parameters, {
      losses: "given",
      optimizer: numbers,
      keepsGradients: true,
      batch,
      seed: this.#seed,
      engine,
    });
    for (const name of before?.states ?? []) trainer.state(name).set(before!.state(name));
    before?.dispose();
    this.#trainer = trainer;
    this.#batch = batch;
    return trainer;
  }

  /** Ends the trainer: the graph and its masters are what they have become. */
  #settle(): void {
    if (!this.#trainer) return;
    const trainer = this.#trainer;
    const start = ({ name, start }: Found) => ({ ...start, data: this.masterOf(name) });
    this.#found = this.#found.map((found) => ({ ...found, start: start(found) }));
    if (this.#moved) {
      const names = new Set(this.#moved.parameters.map(({ name }) => name));
      this.#moved = { ...this.#moved, parameters: this.#found.filter(({ name }) => names.has(name)) };
    }
    this.#graph = trainer.graph();
    this.#trainer = undefined;
    this.#pass = undefined;
    this.#gradients = "none";
    trainer.dispose();
  }

  #model(): Model {
    this.#deployed ??= evaluated(this.graph(), engine, Infinity);
    return this.#deployed;
  }

  #feedsOf(input: Tensor | TypedArray | Feeds): Feeds {
    const isOne = ArrayBuffer.isView(input) || ("dtype" in input && "data" in input);
    return isOne ? { [this.#graph.inputs[0]!.name]: input as Tensor | TypedArray } : (input as Feeds);
  }
}

/** Largest of the sizes that a batch has where the graph leaves them open. */
const sizeOf = ({ inputs }: Graph, feeds: Feeds): number =>
  Math.max(1, ...Object.values(bindSymbols(inputs, checkFeeds(inputs, feeds))));

/** A call in the wrong order: what to call first. */
const outOfOrder = (where: string, what: string, hint: string) =>
  new OctetteError(what, { code: "argument", where, hint });
