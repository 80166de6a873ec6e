// What moves parameters, under PyTorch's names. The numbers mean what they mean there.

import { OctetteError } from "../errors";
import {
  type AdamWOptions,
  createOptimizer,
  type OptimizerOptions,
  type SgdOptions,
} from "../train/step/optimizers";
import type { Parameter, Trainable } from "./trainable";

/** Moves the parameters it was given. A model has one: a later one takes its place. */
export abstract class Optimizer {
  /** Learning rate of the next step; a schedule sets it. */
  lr: number;
  readonly #options: OptimizerOptions;
  readonly #model: Trainable;
  #steps = 0;

  /** @internal */
  constructor(parameters: Iterable<Parameter>, options: OptimizerOptions) {
    const all = [...parameters];
    const [first] = all;
    if (!first || all.some(({ model }) => model !== first.model))
      throw new OctetteError("the parameters are not those of one model", {
        code: "argument",
        where: this.constructor.name,
        expected: "model.parameters(), or some of them",
        got: first ? "those of several models" : "none",
      });
    this.lr = options.lr;
    this.#options = options;
    this.#model = first.model;
    this.#model.attach(this, createOptimizer(options), all);
  }

  /** Forgets the gradients. */
  zeroGrad(): void {
    this.#model.zeroGrad(this);
  }

  /** Moves the parameters by the gradients there are. Throws an OctetteError that says what to call first. */
  step(): void {
    const { lr } = createOptimizer({ ...this.#options, lr: this.lr });
    this.#model.step(this, lr, this.#steps + 1);
    this.#steps++;
  }
}

/** Stochastic gradient descent: `new SGD(model.parameters(), { lr: 0.1, momentum: 0.9 })`. */
export class SGD extends Optimizer {
  constructor(parameters: Iterable<Parameter>, options: Omit<SgdOptions, "kind">) {
    super(parameters, { kind: "sgd", ...options });
  }
}

/** Adam with decoupled weight decay: `new AdamW(model.parameters(), { lr: 1e-3 })`. */
export class AdamW extends Optimizer {
  constructor(parameters: Iterable<Parameter>, options: Omit<AdamWOptions, "kind">) {
    super(parameters, { kind: "adamw", ...options });
  }
}
