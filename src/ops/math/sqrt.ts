import { evaluateUnary } from "../known";
import { extend, type Traits } from "../op";
import { unary } from "../unary";

/** Square root, NaN below 0. ONNX Sqrt-13. Of a known number it is that of the kernel: both round to the nearest. */
export const sqrt = extend(unary("sqrt"), {
  evaluate: (_, [x]) =>
    evaluateUnary(x, (value) => (Number(value) >= 0 ? Math.fround(Math.sqrt(Number(value))) : undefined)),
});

export const sqrtTraits: Traits = { codes: "none", homogeneous: undefined, trained: undefined };
