// Functions of one value over integers and bools: pairs with known numbers.

import type { DType } from "../../graph/tensor";
import { isHeld } from "../broadcast";
import { evaluateUnary } from "../known";
import { asInput } from "../layout";
import { inputType, type Op } from "../op";
import {
  checkType,
  emitBroadcast,
  type Kernel,
  type Operand,
  operandsOf,
  resultOf,
  scalar,
} from "./pairwise";

/** The input, the result of the step before, or a number. */
type Of = "x" | "y" | number;
/** y = kernel(left, right). */
type Step = readonly [kernel: Kernel, left: Of, right: Of];

interface Rules {
  readonly dtypes: readonly DType[];
  readonly known: (x: number) => number;
  readonly steps: (dtype: DType) => readonly Step[];
}

/** An op of integers or bools, and of floats where there is an op of these. */
// @__NO_SIDE_EFFECTS__
export function ofIntegers({ dtypes, known, steps }: Rules, ofFloats?: Op): Op {
  return {
    rows: true,
    layout: asInput,
    ...ofFloats,
    infer(node, inputs) {
      const x = inputType(node, inputs, 0);
      checkType(node, x.dtype, ofFloats ? ["f32", ...dtypes] : dtypes);
      return [x];
    },
    evaluate: (_, [x]) =>
      evaluateUnary(x, (value) => {
        const result = typeof value === "number" ? known(value) : undefined;
        return x!.dtype !== "i32" || isHeld(result ?? Number.NaN) ? result : undefined;
      }),
    lower(unit, c) {
      const { node, inputs, outputs } = unit;
      const { dtype } = c.type(inputs[0]!);
      if (dtype === "f32") return ofFloats!.lower!(unit, c);
      const [x] = operandsOf(unit, c) as [Operand];
      const y = resultOf(unit, c);
      const operand = (of: Of) => (of === "x" ? x : of === "y" ? y : scalar(c, dtype, of));
      for (const [kernel, ...pair] of steps(dtype))
        emitBroadcast(node, c, kernel, dtype, y, pair.map(operand), c.layout(outputs[0]!));
    },
  };
}
