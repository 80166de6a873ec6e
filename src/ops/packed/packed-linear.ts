import { linearBitsScratchBytes } from "../../../assembly/packed/sizes";
import type { Node, ValueType } from "../../graph/graph";
import { countOf, formatShape, multiplyDims } from "../../graph/symbols";
import { floatType, NONE, type Op, opError, type Traits } from "../op";
import { blocksOf, middleOf } from "./blocks";

function sizesOf(node: Node, inputs: readonly (ValueType | undefined)[]) {
  const { shape } = floatType(node, inputs, 0);
  const k = shape.at(-1);
  if (typeof k !== "number")
    throw opError(node, "input 0 does not fit", {
      expected: "a known last dimension",
      got: formatShape(shape),
    });
  const own = blocksOf(node, inputs, [1, 2, 3], k);
  const bias = inputs[4] && floatType(node, inputs, 4).shape;
  if (bias && (bias.length !== 1 || bias[0] !== own.n))
    throw opError(node, "input 4 does not fit", { expected: `f32 [${own.n}]`, got: formatShape(bias) });
  return { ...own, k, rows: countOf(shape.slice(0, -1)), shape: [...shape.slice(0, -1), own.n] };
}

/**
 * x [..., k] · Wᵀ + b of weights W [n, k] = (q − zero) · scale in blocks along k: q packed to bytes [n, …], scale and zero point f32
 * [n, blocks], zero 2^(bits − 1) where it is left out, b [n]. Memory holds the bytes; products are f32. ONNX Runtime's MatMulNBits.
 */
export const packedLinear: Op = {
  inputs: 5,
  attributes: ["bits", "block_size"],
  infer: (node, inputs) => [{ dtype: "f32", shape: sizesOf(node, inputs).shape }],
  rows: true,
  lower({ node, inputs, outputs }, c) {
    const types = inputs.map((input) => (input === "" ? undefined : c.type(input)));
    const { rows, n, k, size, bits } = sizesOf(node, types);
    const [x, w, scale, zero = "", bias = ""] = inputs as [string, string, string, string?, string?];
    const optional = (value: string) => (value === "" ? NONE : c.input(value));
    const places = [c.output(outputs[0]!), c.input(x), c.input(w), c.input(scale), optional(zero)] as const;
    const more = [middleOf(bits), optional(bias), c.scratch(linearBitsScratchBytes(k, size))] as const;
    c.emit("linearBits", [...places, ...more, rows, n, k, size, bits], n, multiplyDims(rows, n * k));
  },
};

export const packedLinearTraits: Traits = {
  codes: "none",
  homogeneous: undefined,
  trained: undefined,
  gradient: "none",
  onnx: false,
};
