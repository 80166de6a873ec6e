// The rule of every op, those of the runtime and those that only training has.

import { gradients } from "./index";
import { quantizeBias, quantizeWeights } from "./layers";
import type { Rule } from "./rule";

const rules: Readonly<Record<string, Rule>> = {
  ...gradients,
  QuantizeBias: quantizeBias,
  QuantizeWeights: quantizeWeights,
};

/** The rule of an op; undefined where it has none. */
export const ruleOf = (op: string): Rule | undefined => (Object.hasOwn(rules, op) ? rules[op] : undefined);
