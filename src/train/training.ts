// What training steps are made of: their ops, and gradient rules.

import { gradients } from "../../build/groups/gradients";
import { trainingOps } from "../../build/groups/training";
import type { ToolkitOps } from "../ops/infer";
import type { Op, Traits } from "../ops/op";
import { type Toolkit, toolkit } from "../toolkit/toolkit";
import type { Rule } from "./gradients/rule";

/** Ops with what is known of them. */
export type StepOps = Readonly<Record<string, Op & Partial<Traits>>>;

export interface Training {
  /** The ops of models. */
  readonly models: ToolkitOps;
  /** The ops of a step: those of models, some of which training has in a form of its own, and what only it has. */
  readonly ops: StepOps;
  readonly gradients: Readonly<Record<string, Rule>>;
}

/** With the ops and gradients of a toolkit. */
// @__NO_SIDE_EFFECTS__
export function trainingOf({ ops, own }: Toolkit): Training {
  const forms = Object.entries(trainingOps).map(([name, op]) => [name, { ...ops[name], ...op }] as const);
  return {
    models: ops,
    ops: { ...ops, ...Object.fromEntries(forms) },
    gradients: { ...gradients, ...own.gradients },
  };
}

/** Of octette's own ops alone. */
export const training = trainingOf(toolkit);
