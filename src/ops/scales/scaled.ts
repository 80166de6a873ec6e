// QuantizeLinear and DequantizeLinear of any scales: computed, one an index of an axis, or one a block of them.

import type { Node, ValueType } from "../../graph/graph";
import { countOf, type Dim, formatShape, multiplyDims, type Shape } from "../../graph/symbols";
import type { DType } from "../../graph/tensor";
import { normalizeAxis } from "../axes";
import { heldAbove } from "../codes";
import { sameShape } from "../core/reshape";
import {
  floatType,
  inputType,
  type Lowering,
  NONE,
  numberOf,
  type Op,
  opError,
  stringOf,
  type Traits,
} from "../op";

const CODES: readonly DType[] = ["u8", "i8", "i32"];

/** How rows of a value meet its scales, as kernels take it. */
interface Rows {
  readonly rows: Dim;
  readonly inner: Dim;
  readonly n: Dim;
  readonly block: number;
  readonly outer: Dim;
  readonly step: Dim;
  readonly each: 0 | 1;
}

/** Finds the rows of x [shape] under scales, or says why they do not fit. */
function rowsOf(node: Node, x: Shape, scale: Shape): Rows {
  const whole = { n: 1, block: 1, outer: 0, step: 0 } as const;
  const block = numberOf(node, "block_size", 0);
  if (block === 0 && scale.every((dim) => dim === 1))
    return { ...whole, rows: 1, inner: countOf(x), each: 0 };
  const axis = normalizeAxis(node, numberOf(node, "axis", 1), x.length);
  const n = x[axis]!;
  const [before, inner] = [countOf(x.slice(0, axis)), countOf(x.slice(axis + 1))];
  if (block === 0) {
    if (scale.length !== 1 || scale[0] !== n) throw misfit(node, x, scale);
    if (inner === 1) return { ...whole, rows: before, inner: n, each: 1 };
    return { ...whole, rows: multiplyDims(before, n), inner, n, step: 1, each: 0 };
  }
  const blocks = typeof n === "number" ? Math.ceil(n / block) : Number.NaN;
  const expected = x.map((dim, i) => (i === axis ? blocks : dim));
  if (!Number.isInteger(block) || block < 1 || !sameShape(scale, expected)) throw misfit(node, x, scale);
  const outer = multiplyDims(blocks, inner);
  return { rows: multiplyDims(before, n), inner, n, block, outer, step: inner, each: 1 };
}

const misfit = (node: Node, x: Shape, scale: Shape) =>
  opError(node, "scales do not fit", {
    expected: `one in all, one an index of an axis or one a block of ${formatShape(x)}`,
    got: formatShape(scale),
  });

/** Checks scale and zero point of codes of this type. */
function check(node: Node, x: Shape, codes: DType, inputs: readonly (ValueType | undefined)[]): void {
  const scale = floatType(node, inputs, 1);
  const zero = inputs[2];
  if (!CODES.includes(codes))
    throw opError(node, "codes of this type are not supported", { expected: CODES.join(", "), got: codes });
  if (zero && (zero.dtype !== codes || countOf(zero.shape) !== countOf(scale.shape)))
    throw opError(node, "zero points do not fit", {
      expected: `${codes} ${formatShape(scale.shape)}`,
      got: `${zero.dtype} ${formatShape(zero.shape)}`,
    });
  rowsOf(node, x, scale.shape);
}

function emit(
  kernel: "dequantizeBy" | "quantizeBy",
  node: Node,
  c: Lowering,
  [x, scale, zero = ""]: readonly string[],
  y: string,
  codes: DType,
): void {
  const { rows, inner, n, block, outer, step, each } = rowsOf(node, c.type(x!).shape, c.type(scale!).shape);
  const operands = [c.output(y), c.input(x!), c.input(scale!), zero === "" ? NONE : c.input(zero)] as const;
  const wide = codes === "i32" ? 1 : 0;
  c.emit(kernel, [...operands, heldAbove(codes), inner, n, block, outer, step, each, wide], rows);
}

/** (x − zero)·scale. ONNX DequantizeLinear-21. */
export const generalDequantize: Op = {
  inputs: 3,
  attributes: ["axis", "block_size"],
  infer(node, inputs) {
    const { dtype, shape } = inputType(node, inputs, 0);
    check(node, shape, dtype, inputs);
    return [{ dtype: "f32", shape }];
  },
  lower({ node, inputs, outputs }, c) {
    emit("dequantizeBy", node, c, inputs, outputs[0]!, c.type(inputs[0]!).dtype);
  },
};

/** clamp(rne(x / scale) + zero). ONNX QuantizeLinear-21. */
export const generalQuantize: Op = {
  inputs: 3,
  attributes: ["axis", "block_size", "output_dtype"],
  infer(node, inputs) {
    const { shape } = floatType(node, inputs, 0);
    const dtype = inputs[2]?.dtype ?? (stringOf(node, "output_dtype", "u8") as DType);
    check(node, shape, dtype, inputs);
    return [{ dtype, shape }];
  },
  lower({ node, inputs, outputs }, c) {
    emit("quantizeBy", node, c, inputs, outputs[0]!, c.type(outputs[0]!).dtype);
  },
};

const traits: Traits = {
  codes: "none",
  homogeneous: undefined,
  trained: undefined,
  gradient: "none",
  onnx: false,
};

export { traits as generalDequantizeTraits, traits as generalQuantizeTraits };
