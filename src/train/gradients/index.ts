// The gradient rule of every op: what a file of this folder exports under the op's name (scripts/ops.js).

import { gradients } from "../../../build/groups/gradients";
import type { Rule } from "./rule";

export type { DifferentiableOp } from "../../../build/groups/gradients";
export { gradients };

/** The rule of an op of models or of training; undefined where it has none. */
export const ruleOf = (op: string): Rule | undefined =>
  Object.hasOwn(gradients, op) ? gradients[op as keyof typeof gradients] : undefined;
