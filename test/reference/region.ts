// One integer region: DequantizeLinear… → op [→ Relu | Clip] → [QuantizeLinear], evaluated over codes only. The real
// values inside it are never computed; only the result of its last node is.

import type { Node } from "../../src/graph/graph";
import type { Bindings } from "../../src/graph/symbols";
import type { DType, Tensor } from "../../src/graph/tensor";
import { binary, boundsOf, map, unary, zip } from "./elementwise";
import { floatOperators } from "./float";
import { average, type Codes, type Output, realize, recode, requantize, sumsOf } from "./integer";
import { axisOf, fail, type Inputs, numberAttribute, type Operator, stringAttribute } from "./node";
import { codeRange, dequantizeValue, granularityOf, quantizeTensor, quantizeValue } from "./quantize";
import { concatenate, moves, pad, padValue } from "./shape";

/** Operators that pass codes on, so that scale and zero point go in as they come out. */
const passing: Readonly<Record<string, Operator>> = {
  ...moves,
  MaxPool: floatOperators.MaxPool!,
  GlobalMaxPool: floatOperators.GlobalMaxPool!,
};
const weighted = ["Conv", "Gemm", "MatMul"];
const averaging = ["AveragePool", "GlobalAveragePool", "ReduceMean"];

interface Region {
  readonly core: Node;
  readonly activation?: Node;
  readonly quantize?: Node;
  readonly dequantizers: ReadonlyMap<string, Node>;
}

function partsOf(nodes: readonly Node[]): Region {
  const dequantizers = new Map(
    nodes.filter(({ op }) => op === "DequantizeLinear").map((node) => [node.outputs[0]!, node]),
  );
  const [core, ...rest] = nodes.filter(({ op }) => op !== "DequantizeLinear");
  if (!core || core.op === "QuantizeLinear") fail(nodes[0]!, `region "${nodes[0]!.region}" has no core`);
  const quantize = rest.at(-1)?.op === "QuantizeLinear" ? rest.pop() : undefined;
  const activation = rest.pop();
  if (rest.length > 0 || (activation && activation.op !== "Relu" && activation.op !== "Clip"))
    fail(core, `more than one core in region "${core.region}"`);
  let value = core.outputs[0]!;
  for (const next of [activation, quantize]) {
    if (!next) continue;
    if (next.inputs[0] !== value) fail(next, `does not read "${value}", the value before it in its region`);
    value = next.outputs[0]!;
  }
  return { core, dequantizers, ...(activation && { activation }), ...(quantize && { quantize }) };
}

/** Evaluates a region whose outside inputs are all in `values`; returns the name and tensor of its result. */
export function runRegion(
  nodes: readonly Node[],
  values: ReadonlyMap<string, Tensor>,
  bindings: Bindings,
): [string, Tensor] {
  const { core, activation, quantize, dequantizers } = partsOf(nodes);
  const value = (name: string | undefined) => (name ? values.get(name) : undefined);
  const inputs = core.inputs.map((name) => {
    const dequantizer = dequantizers.get(name);
    return dequantizer ? codesOf(dequantizer, dequantizer.inputs.map(value)) : value(name);
  });
  const bounds = activation
    ? boundsOf(activation, activation.inputs.map(value))
    : { lo: -Infinity, hi: Infinity };
  const last = (quantize ?? activation ?? core).outputs[0]!;
  if (quantize) {
    const output = outputOf(quantize, quantize.inputs.map(value), bounds);
    return [last, integerResult(core, inputs, output, bindings)];
  }
  if (!weighted.includes(core.op)) fail(core, "its region ends in no QuantizeLinear");
  const [x, w] = [codes(core, inputs, 0), codes(core, inputs, 1)];
  return [last, realize(core, sumsOf(core, x, w), x, w, realBias(core, inputs[2]), bounds)];
}

type RegionInputs = readonly (Codes | Tensor | undefined)[];

const isCodes = (input: Codes | Tensor | undefined): input is Codes =>
  input !== undefined && "tensor" in input;

function codes(node: Node, inputs: RegionInputs, index: number): Codes {
  const input = inputs[index];
  return isCodes(input) ? input : fail(node, `input ${index} holds no codes`);
}

function codesOf(node: Node, [x, scale, zeroPoint]: Inputs): Codes {
  if (!x || !scale) fail(node, "codes or scale are missing");
  const granularity = granularityOf(node, x, scale);
  if (granularity === "block") fail(node, "no blocks in a region");
  const axis = granularity === "axis" ? axisOf(node, numberAttribute(node, "axis", 1), x.shape.length) : 0;
  return { tensor: x, scale: scale.data, zeroPoint: zeroPoint?.data ?? [0], granularity, axis };
}

/** Bounds of the activation become bounds of the codes: clamp(rne(lo / s) + zp). */
function outputOf(node: Node, [, scale, zeroPoint]: Inputs, bounds: { lo: number; hi: number }): Output {
  if (scale?.data.length !== 1) fail(node, "the result of a region has one scale");
  const dtype = zeroPoint?.dtype ?? (stringAttribute(node, "output_dtype", "u8") as DType);
  const range = codeRange(dtype);
  const [s, z] = [scale.data[0]!, zeroPoint?.data[0] ?? 0];
  const code = (bound: number) => quantizeValue(bound, s, z, range.lo, range.hi);
  return { dtype, scale: s, zeroPoint: z, lo: code(bounds.lo), hi: code(bounds.hi) };
}

function integerResult(core: Node, inputs: RegionInputs, output: Output, bindings: Bindings): Tensor {
  const { op } = core;
  if (weighted.includes(op)) {
    const [x, w] = [codes(core, inputs, 0), codes(core, inputs, 1)];
    return requantize(core, sumsOf(core, x, w), x, w, biasCodes(core, x, w, inputs[2]), output);
  }
  const plain = inputs.map((input) => (isCodes(input) ? input.tensor : input));
  if (op in binary) {
    const [a, b] = [real(core, inputs, 0), real(core, inputs, 1)];
    return bounded(
      quantizeTensor(zip(a, b, binary[op]!), output.dtype, output.scale, output.zeroPoint),
      output,
    );
  }
  if (op === "Concat") {
    const parts = inputs.map((_, i) => recode(perTensor(core, inputs, i), output));
    return concatenate(core, parts);
  }
  const x = perTensor(core, inputs, 0);
  if (averaging.includes(op)) return average(core, x, output);
  if (op in unary)
    return bounded(
      quantizeTensor(map(core, plain, real(core, inputs, 0)), output.dtype, output.scale, output.zeroPoint),
      output,
    );
  const same =
    x.scale[0] === output.scale && x.zeroPoint[0] === output.zeroPoint && x.tensor.dtype === output.dtype;
  if (!same) fail(core, "passes codes on, but its result has another scale, zero point or type");
  if (op === "Pad") {
    const value = quantizeValue(padValue(core, plain), output.scale, output.zeroPoint, output.lo, output.hi);
    return bounded(pad(core, plain, value), output);
  }
  const operator = passing[op] ?? fail(core, "has no integer form");
  return bounded(operator(core, plain, bindings) as Tensor, output);
}

/** Codes held to bounds that a fused activation narrowed. */
const bounded = (q: Tensor, { lo, hi }: Output): Tensor => ({
  ...q,
  data: q.data.map((code) => Math.min(Math.max(code, lo), hi)),
});

function perTensor(node: Node, inputs: RegionInputs, index: number): Codes {
  const input = codes(node, inputs, index);
  return input.granularity === "tensor" ? input : fail(node, `input ${index} has more than one scale`);
}

/** The dequantized input, for operators that are defined by their float form. */
function real(node: Node, inputs: RegionInputs, index: number): Tensor {
  const { tensor, scale, zeroPoint } = perTensor(node, inputs, index);
  const data = Float32Array.from(tensor.data, (q) => dequantizeValue(q, scale[0]!, zeroPoint[0]!));
  return { dtype: "f32", shape: tensor.shape, data };
}

/** The bias goes into the sums as it is, so its codes must be in units of sx·sw. */
function biasCodes(node: Node, x: Codes, w: Codes, bias: Codes | Tensor | undefined): ArrayLike<number> {
  if (!bias) return [];
  if (!isCodes(bias) || bias.tensor.dtype !== "i32") fail(node, "the bias of an integer result is i32 codes");
  for (let c = 0; c < bias.scale.length; c++) {
    const unit = x.scale[0]! * (w.scale.length === 1 ? w.scale[0]! : w.scale[c]!);
    if (Math.abs(bias.scale[c]! - unit) > 1e-6 * unit)
      fail(node, `bias ${c} has the scale ${bias.scale[c]}, not sx·sw = ${unit}`);
  }
  return bias.tensor.data;
}

/** The bias of a float result: floats, or i32 codes dequantized. */
function realBias(node: Node, bias: Codes | Tensor | undefined): ArrayLike<number> {
  if (!bias) return [];
  if (!isCodes(bias))
    return bias.dtype === "f32" ? bias.data : fail(node, "the bias of a float result is f32");
  const { tensor, scale } = bias;
  return Float32Array.from(tensor.data, (q, c) =>
    dequantizeValue(q, scale.length === 1 ? scale[0]! : scale[c]!, 0),
  );
}
