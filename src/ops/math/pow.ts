import { countOf, multiplyDims } from "../../graph/symbols";
import { bytesPerElement, type DType } from "../../graph/tensor";
import { broadcastShapes, evaluateBinary } from "../broadcast";
import { extend, inputType, type Lowering, type Traits } from "../op";
import { type PlainRule, Steps } from "../steps";
import {
  checkType,
  emitBroadcast,
  NUMBERS,
  type Operand,
  operandsOf,
  pairwise,
  resultOf,
  typeOf,
} from "./pairwise";

const rule = pairwise({ kernel: "power", dtypes: NUMBERS });

/** A value in another dtype. */
function castTo(dtype: DType, x: Operand, c: Lowering): Operand {
  if (x.dtype === dtype) return x;
  const count = countOf(x.shape);
  const at = c.temporary(multiplyDims(count, bytesPerElement[dtype]));
  c.emit("cast", [at, x.at, typeOf[x.dtype], typeOf[dtype]], count);
  return { shape: x.shape, dtype, at };
}

/** A power of a number above 0 whose bits no kernel decides: simplifying computes these by products, roots and quotients. */
function roundedPower(x: number, y: number): number | undefined {
  if (!(x > 0)) return undefined;
  if (y === 0.5) return Math.fround(Math.sqrt(x));
  if (y === 1) return x;
  if (y === 2) return Math.fround(x * x);
  return y === -1 ? Math.fround(1 / x) : undefined;
}

/**
 * x^y, in the dtype of x. ONNX Pow-15. Integers keep the low bits of their powers, and what is left of those of negative exponents when
 * the fraction is cut off.
 */
export const pow = extend(rule, {
  infer(node, inputs) {
    const [x, y] = [inputType(node, inputs, 0), inputType(node, inputs, 1)];
    for (const { dtype } of [x, y]) checkType(node, dtype, NUMBERS);
    return [{ dtype: x.dtype, shape: broadcastShapes(node, x.shape, y.shape) }];
  },
  evaluate(node, inputs) {
    if (inputs.every((known) => known?.dtype === "f32"))
      return evaluateBinary(node, inputs, (x, y) => roundedPower(Number(x), Number(y)));
    if (inputs.some((known) => known?.dtype !== "i32")) return undefined;
    return evaluateBinary(node, inputs, (x, y) => {
      if (typeof x === "string" || typeof y === "string" || y < 0 || y > 31) return undefined;
      let power = 1;
      for (let i = 0; i < y; i++) power *= x;
      return power;
    });
  },
  lower(unit, c) {
    const { node, outputs } = unit;
    const [x, y] = operandsOf(unit, c) as [Operand, Operand];
    const layout = c.layout(outputs[0]!);
    const isReal = x.dtype === "f32";
    const base = isReal ? x : castTo("i32", x, c);
    const exponent = castTo(isReal ? "f32" : y.dtype === "f32" ? "f32" : "i32", y, c);
    const kernel = exponent.dtype === base.dtype ? "power" : "integerPowerOfReal";
    const result = resultOf(unit, c);
    if (bytesPerElement[x.dtype] === 4)
      return emitBroadcast(node, c, kernel, x.dtype, result, [base, exponent], layout);
    const count = countOf(result.shape);
    const wide: Operand = { ...result, dtype: "i32", at: c.temporary(multiplyDims(count, 4)) };
    emitBroadcast(node, c, kernel, "i32", wide, [base, exponent], layout);
    c.emit("cast", [result.at, wide.at, typeOf.i32, typeOf[x.dtype]], count);
  },
});

export const powTraits: Traits = { codes: "none", homogeneous: undefined, trained: undefined };

/** Powers that are products, roots and quotients. */
export const powPlain: PlainRule = (node, rewrite, types) => {
  const [x, y] = node.inputs as [string, string];
  const exponent = rewrite.scalar(y);
  const { dtype, shape } = types.get(node.outputs[0]!)!;
  if (exponent === undefined || dtype !== "f32" || shape.length > types.get(x)!.shape.length) return;
  const steps = new Steps(rewrite, node);
  if (exponent === 2) steps.add("Mul", [x, x], {}, true);
  else if (exponent === 3) steps.add("Mul", [steps.add("Mul", [x, x]), x], {}, true);
  else if (exponent === 1) steps.add("Identity", [x], {}, true);
  else if (exponent === 0.5) steps.add("Sqrt", [x], {}, true);
  else if (exponent === -1) steps.add("Reciprocal", [x], {}, true);
  else return;
  steps.done();
};
