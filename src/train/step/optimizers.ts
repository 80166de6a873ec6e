// Optimizers as plain data: what a caller may ask for, what a parameter needs beside itself, and the scalars of a step.
// Every number means what it means in PyTorch.

import { OctetteError } from "../../errors";
import { checkOptions, type Names } from "../../options";

/** Stochastic gradient descent. Takes one more float a parameter where momentum is not 0. */
export interface SgdOptions {
  readonly kind: "sgd";
  /** Learning rate. */
  readonly lr: number;
  /** Part of the last update that the next one keeps, 0 to below 1; default 0. */
  readonly momentum?: number;
  /** Whether it looks ahead (Nesterov); needs momentum. Default false. */
  readonly nesterov?: boolean;
  /** What a weight is multiplied with and added to its gradient; default 0. */
  readonly weightDecay?: number;
}

/** Adam with decoupled weight decay. Takes two more floats a parameter. */
export interface AdamWOptions {
  readonly kind: "adamw";
  /** Learning rate. */
  readonly lr: number;
  /** Parts of the means of gradients and of their squares that a step keeps; default [0.9, 0.999]. */
  readonly betas?: readonly [number, number];
  /** Added to the root of the mean square; default 1e-8. */
  readonly eps?: number;
  /** Part of a weight, times the learning rate, that a step takes from it; default 0.01. */
  readonly weightDecay?: number;
}

/** An optimizer and its numbers. */
export type OptimizerOptions = SgdOptions | AdamWOptions;
/** Checked, with every default filled in. */
export type Optimizer = Required<SgdOptions> | Required<AdamWOptions>;

const SGD = { kind: 1, lr: 1, momentum: 1, nesterov: 1, weightDecay: 1 } satisfies Names<SgdOptions>;
const ADAMW = { kind: 1, lr: 1, betas: 1, eps: 1, weightDecay: 1 } satisfies Names<AdamWOptions>;

/** Checks what a caller passed and fills in the defaults. */
export function createOptimizer(options: OptimizerOptions): Optimizer {
  if (options?.kind === "sgd") return createSgd(options);
  if (options?.kind === "adamw") return createAdamW(options);
  throw new OctetteError("unknown optimizer", {
    code: "argument",
    where: "optimizer.kind",
    expected: '"sgd" or "adamw"',
    got: JSON.stringify((options as { kind?: unknown } | undefined)?.kind) ?? "none",
  });
}

function createSgd(options: SgdOptions): Required<SgdOptions> {
  checkOptions("optimizer", options, SGD);
  const { lr, momentum = 0, nesterov = false, weightDecay = 0 } = options;
  check("lr", lr, lr >= 0, AT_LEAST_0);
  check("momentum", momentum, momentum >= 0 && momentum < 1, BELOW_1);
  check("weightDecay", weightDecay, weightDecay >= 0, AT_LEAST_0);
  if (nesterov && momentum === 0)
    throw new OctetteError("nesterov needs momentum", {
      code: "argument",
      where: "optimizer.nesterov",
      expected: "a momentum above 0",
      got: "momentum 0",
      hint: "Set momentum, such as 0.9, or leave nesterov out",
    });
  return { kind: "sgd", lr, momentum, nesterov, weightDecay };
}

function createAdamW(options: AdamWOptions): Required<AdamWOptions> {
  checkOptions("optimizer", options, ADAMW);
  const { lr, betas = [0.9, 0.999], eps = 1e-8, weightDecay = 0.01 } = options;
  check("lr", lr, lr >= 0, AT_LEAST_0);
  for (const [i, beta] of [betas[0], betas[1]].entries())
    check(`betas[${i}]`, beta, beta >= 0 && beta < 1, BELOW_1);
  // The kernel computes in f32, where a smaller one is 0 and leaves 0 / 0 for a gradient that was always 0.
  check("eps", eps, eps >= SMALLEST_EPS, "a number of at least 2^-126");
  check("weightDecay", weightDecay, weightDecay >= 0, AT_LEAST_0);
  return { kind: "adamw", lr, betas, eps, weightDecay };
}

const AT_LEAST_0 = "a number of at least 0";
const BELOW_1 = "a number from 0 to below 1";
/** Smallest normal f32. */
const SMALLEST_EPS = 2 ** -126;

function check(name: string, value: unknown, isValid: boolean, expected: string): void {
  if (isValid && typeof value === "number" && Number.isFinite(value)) return;
  throw new OctetteError("a number of the optimizer is out of range", {
    code: "argument",
    where: `optimizer.${name}`,
    expected,
    got: String(value),
  });
}

/** Names of the tensors that a parameter keeps from step to step, f32 of its shape, zeros at first. */
export function statesOf(optimizer: Optimizer): readonly string[] {
  if (optimizer.kind === "adamw") return ["mean", "square"];
  return optimizer.momentum === 0 ? [] : ["momentum"];
}

/** The scalars that the kernel named like the optimizer takes in a step, counted from 1, with the step's own rate. */
export function scalarsOf(optimizer: Optimizer, lr: number, step: number): readonly number[] {
  if (optimizer.kind === "sgd")
    return [lr, optimizer.momentum, optimizer.weightDecay, optimizer.nesterov ? 1 : 0];
  const { betas, eps, weightDecay } = optimizer;
  return [lr, ...betas, eps, weightDecay, 1 - power(betas[0], step), 1 - power(betas[1], step)];
}

/** base^n for whole n ≥ 0 by squaring: the same on every engine, which Math.pow is not, and for a step resumed at. */
function power(base: number, n: number): number {
  let result = 1;
  for (let square = base, rest = n; rest > 0; rest = Math.floor(rest / 2), square *= square)
    if (rest % 2 === 1) result *= square;
  return result;
}
