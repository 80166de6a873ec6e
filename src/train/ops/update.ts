// Updates of trained parameters, in place. The learning rate and AdamW's corrections, which change from step to step, are
// symbols that every run binds.

import type { Node } from "../../graph/graph";
import type { Bindings } from "../../graph/symbols";
import { sizeOf } from "../../graph/tensor";
import { type Address, type Lowering, numberOf, type Op, type Unit } from "../../ops/op";
import { type Optimizer, scalarsOf } from "../step/optimizers";

/** An op that writes to its first input and to its other states, and makes nothing. */
const update = (emit: (unit: Unit, c: Lowering, at: Address[], count: number) => void): Op => ({
  infer: () => [],
  lower(unit, c) {
    const at = unit.inputs.map((input) => c.input(input));
    emit(unit, c, at, sizeOf(c.type(unit.inputs[0]!).shape as number[]));
  },
});

/** Inputs w, dw, momentum. Sutskever et al. 2013, as PyTorch writes it. */
export const sgdUpdate: Op = update(({ node }, c, [w, g, m], count) => {
  const [momentum, decay, nesterov] = [
    numberOf(node, "momentum", 0),
    numberOf(node, "weight_decay", 0),
    numberOf(node, "nesterov", 0),
  ];
  c.emit("sgd", [w!, m ?? 0, g!, "lr", momentum, decay, nesterov], count);
});

/** Inputs w, dw, first and second moment. Loshchilov & Hutter 2019, arXiv:1711.05101. */
export const adamwUpdate: Op = update(({ node }, c, [w, g, m, v], count) => {
  const [beta1, beta2] = [numberOf(node, "beta1", 0.9), numberOf(node, "beta2", 0.999)];
  const [eps, decay] = [numberOf(node, "eps", 1e-8), numberOf(node, "weight_decay", 0)];
  c.emit("adamw", [w!, m!, v!, g!, "lr", beta1, beta2, eps, decay, "correction1", "correction2"], count);
});

/** Inputs sum, dw: sum += dw. */
export const accumulateGradient: Op = update((_, c, [sum, g], count) =>
  c.emit("add", [sum!, sum!, g!, 1, count, 0, 0, 1, 0, 0, 1, -Infinity, Infinity], 1),
);

/** Input w: w = min(max(w, lo), hi). */
export const keepWithin: Op = update(({ node }, c, [w], count) =>
  c.emit("keepWithin", [w!, numberOf(node, "lo", -Infinity), numberOf(node, "hi", Infinity)], count),
);

/** The node that updates by an optimizer, but for its name and inputs. */
export function updateOf(optimizer: Optimizer): Pick<Node, "op" | "attributes"> {
  if (optimizer.kind === "sgd") {
    const { momentum, weightDecay, nesterov } = optimizer;
    return {
      op: "SgdUpdate",
      attributes: { momentum, weight_decay: weightDecay, nesterov: nesterov ? 1 : 0 },
    };
  }
  const { betas, eps, weightDecay } = optimizer;
  return {
    op: "AdamwUpdate",
    attributes: { beta1: betas[0], beta2: betas[1], eps, weight_decay: weightDecay },
  };
}

/** Values of the symbols that updates read, in a step counted from 1. */
export function bindingsOf(optimizer: Optimizer, lr: number, step: number): Bindings {
  const [rate, , , , , correction1, correction2] = scalarsOf(optimizer, lr, step);
  if (optimizer.kind === "sgd") return { lr: rate! };
  return { lr: rate!, correction1: correction1!, correction2: correction2! };
}
