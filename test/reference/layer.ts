// One integer layer, evaluated over codes only: the real values that it stands for are never computed.

import type { CodeParameters, Node } from "../../src/graph/graph";
import type { Bindings } from "../../src/graph/symbols";
import type { Tensor } from "../../src/graph/tensor";
import { binary, map, unary, zip } from "./elementwise";
import { floatOperators } from "./float";
import { gatherCodes, isGrouped, runGroups } from "./groups";
import { average, type Codes, type Output, realize, recode, requantize, sumsOf } from "./integer";
import { axisOf, fail, need, type Operator } from "./node";
import type { Oracle } from "./oracle";
import { codeRange, dequantizeValue, granularityOf, quantizeTensor, quantizeValue } from "./quantize";
import { concatenate, moves, pad, padValue } from "./shape";

/** Operators that pass codes on, so that scale and zero point go in as they come out. */
const passing: Readonly<Record<string, Operator>> = {
  ...moves,
  Dropout: (node, inputs) => need(node, inputs, 0),
  MaxPool: floatOperators.MaxPool!,
  GlobalMaxPool: floatOperators.GlobalMaxPool!,
};
const weighted = ["Conv", "Linear"];
const averaging = ["AveragePool", "GlobalAveragePool", "ReduceMean"];

/** Evaluates an integer layer whose inputs are all in `values`; returns the name and tensor of its result. */
export function runLayer(
  node: Node,
  values: ReadonlyMap<string, Tensor>,
  bindings: Bindings,
  own: Oracle = {},
): [string, Tensor] {
  const { inputs: parameters, output, bounds = { lo: -Infinity, hi: Infinity } } = node.codes!;
  const value = (name: string) => (name === "" ? undefined : values.get(name));
  if (isGrouped(node)) {
    const run = node.op === "Gather" ? gatherCodes : runGroups;
    return [node.outputs[0]!, run(node, value)];
  }
  const inputs = node.inputs.map((name, i) => {
    const read = parameters[i];
    return read && read.scale !== "" ? codesOf(node, value(name), read, value) : value(name);
  });
  const last = node.outputs[0]!;
  if (output)
    return [last, integerResult(node, inputs, outputOf(node, output, value, bounds), bindings, own)];
  const { sums = weighted.includes(node.op) ? sumsOf : fail(node, "its result is not codes") } = own;
  const [x, w] = [codes(node, inputs, 0), codes(node, inputs, 1)];
  return [last, realize(node, sums(node, x, w), x, w, realBias(node, x, w, inputs[2]), bounds)];
}

type LayerInputs = readonly (Codes | Tensor | undefined)[];

const isCodes = (input: Codes | Tensor | undefined): input is Codes =>
  input !== undefined && "tensor" in input;

function codes(node: Node, inputs: LayerInputs, index: number): Codes {
  const input = inputs[index];
  return isCodes(input) ? input : fail(node, `input ${index} holds no codes`);
}

function codesOf(
  node: Node,
  x: Tensor | undefined,
  parameters: CodeParameters,
  value: (name: string) => Tensor | undefined,
): Codes {
  const [scale, zeroPoint] = [value(parameters.scale), value(parameters.zeroPoint)];
  if (!x || !scale) fail(node, "codes or scale are missing");
  const granularity = granularityOf({ ...node, attributes: {} }, x, scale);
  if (granularity === "block") fail(node, "no blocks in an integer layer");
  const axis = granularity === "axis" ? axisOf(node, parameters.axis ?? 1, x.shape.length) : 0;
  return { tensor: x, scale: scale.data, zeroPoint: zeroPoint?.data ?? [0], granularity, axis };
}

/** Bounds of the activation become bounds of the codes: clamp(rne(lo / s) + zp). */
function outputOf(
  node: Node,
  parameters: CodeParameters,
  value: (name: string) => Tensor | undefined,
  bounds: { lo: number; hi: number },
): Output {
  const [scale, zeroPoint] = [value(parameters.scale), value(parameters.zeroPoint)];
  if (scale?.data.length !== 1) fail(node, "the result of an integer layer has one scale");
  const dtype = zeroPoint?.dtype ?? "u8";
  const range = codeRange(dtype);
  const [s, z] = [scale.data[0]!, zeroPoint?.data[0] ?? 0];
  const code = (bound: number) => quantizeValue(bound, s, z, range.lo, range.hi);
  return { dtype, scale: s, zeroPoint: z, lo: code(bounds.lo), hi: code(bounds.hi) };
}

function integerResult(
  core: Node,
  inputs: LayerInputs,
  output: Output,
  bindings: Bindings,
  own: Oracle,
): Tensor {
  const { op } = core;
  const sums = own.sums ?? (weighted.includes(op) ? sumsOf : undefined);
  if (sums) {
    const [x, w] = [codes(core, inputs, 0), codes(core, inputs, 1)];
    return requantize(core, sums(core, x, w), x, w, biasCodes(core, inputs[2]), output);
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
  const each = own.each ?? unary[op];
  if (each)
    return bounded(
      quantizeTensor(
        map(each(core, plain), real(core, inputs, 0)),
        output.dtype,
        output.scale,
        output.zeroPoint,
      ),
      output,
    );
  const same =
    x.scale[0] === output.scale && x.zeroPoint[0] === output.zeroPoint && x.tensor.dtype === output.dtype;
  if (!same) fail(core, "passes codes on, but its result has another scale, zero point or type");
  if (op === "Pad") {
    const value = quantizeValue(padValue(core, plain), output.scale, output.zeroPoint, output.lo, output.hi);
    return bounded(pad(core, plain, value), output);
  }
  const operator = own.operator ?? passing[op] ?? fail(core, "has no integer form");
  return bounded(operator(core, plain, bindings) as Tensor, output);
}

/** Codes held to bounds that a fused activation narrowed. */
const bounded = (q: Tensor, { lo, hi }: Output): Tensor => ({
  ...q,
  data: q.data.map((code) => Math.min(Math.max(code, lo), hi)),
});

function perTensor(node: Node, inputs: LayerInputs, index: number): Codes {
  const input = codes(node, inputs, index);
  return input.granularity === "tensor" ? input : fail(node, `input ${index} has more than one scale`);
}

/** The dequantized input, for operators that are defined by their float form. */
function real(node: Node, inputs: LayerInputs, index: number): Tensor {
  const { tensor, scale, zeroPoint } = perTensor(node, inputs, index);
  const data = Float32Array.from(tensor.data, (q) => dequantizeValue(q, scale[0]!, zeroPoint[0]!));
  return { dtype: "f32", shape: tensor.shape, data };
}

/** The bias goes into the sums as it is: its codes are in units of sx·sw. */
function biasCodes(node: Node, bias: Codes | Tensor | undefined): ArrayLike<number> {
  if (!bias) return [];
  return !isCodes(bias) && bias.dtype === "i32"
    ? bias.data
    : fail(node, "the bias of an integer result is i32 codes");
}

/** The bias of a float result: floats, or i32 codes dequantized. */
function realBias(node: Node, x: Codes, w: Codes, bias: Codes | Tensor | undefined): ArrayLike<number> {
  if (!bias) return [];
  if (isCodes(bias)) return fail(node, "the bias has no scale of its own");
  if (bias.dtype === "f32") return bias.data;
  return Float32Array.from(bias.data, (q, c) =>
    dequantizeValue(q, Math.fround(x.scale[0]! * w.scale[w.scale.length === 1 ? 0 : c]!), 0),
  );
}
