// ONNX Runtime's operators over codes. Each becomes a float operator between DequantizeLinear and QuantizeLinear; a pass makes integer
// layers of these.

import type { Attribute, Node } from "../../../graph/graph";
import { type Tensor, tensor } from "../../../graph/tensor";
import { qLinearConv as convolved } from "../convert-quantized";
import { Parts } from "../parts";
import type { Conversion, Source } from "../source";
import { projected } from "./projected";

type Attributes = Record<string, Attribute>;

/** A value, its scale and its zero point, which may be left out. */
function real(
  parts: Parts,
  what: string,
  [codes = "", scale = "", zero = ""]: readonly string[],
  axis?: number,
): string {
  const inputs = zero === "" ? [codes, scale] : [codes, scale, zero];
  return parts.make("DequantizeLinear", what, inputs, axis === undefined ? {} : { axis });
}

/** The operator, and its result as codes; their type is that of their zero point. */
function coded(
  source: Source,
  parts: Parts,
  op: string,
  inputs: readonly string[],
  attributes: Attributes,
  [scale = "", zero = ""]: readonly string[],
): readonly Node[] {
  if (zero !== "") return parts.end(op, inputs, attributes, scale, zero);
  throw source.error("the zero point of its result is left out", {
    expected: "one, which says the type of the codes",
  });
}

/** Two operands, each with scale and zero point. */
const pair =
  (op: string): Conversion =>
  (source) => {
    const parts = new Parts(source);
    const { inputs } = source;
    const both = [real(parts, "a", inputs.slice(0, 3)), real(parts, "b", inputs.slice(3, 6))];
    return coded(source, parts, op, both, {}, inputs.slice(6));
  };

export const qLinearMul = pair("Mul");

/**
 * ONNX Runtime adds in units of the result and rounds with its zero point added. That decides where sums lie between two codes, as all of
 * them do where 1 is added to Erf within GELU: so is the sum with one constant.
 */
export const qLinearAdd: Conversion = (source) => {
  const [a = "", as = "", az = "", b = "", bs = "", bz = "", ys = "", yz = ""] = source.inputs;
  const isOne = (name: string) => source.constant(name)?.data.length === 1;
  const zero = source.constant(yz);
  if (!zero || isOne(a) === isOne(b)) return pair("Add")(source);
  const parts = new Parts(source);
  const inUnits = (what: string, codes: string, scale: string, z: string) =>
    real(parts, what, [codes, parts.make("Div", `${what}_ratio`, [scale, ys]), z]);
  const [left, right] = [inUnits("a", a, as, az), inUnits("b", b, bs, bz)];
  const [x, one] = isOne(b) ? [left, right] : [right, left];
  const shifted = parts.make("Add", "shifted", [one, parts.make("Cast", "y_zero", [yz], { to: "f32" })]);
  const none = source.define(`${source.name}_none`, tensor(zero.dtype, [], [0]));
  return parts.end("Add", [x, shifted], {}, parts.scalar("unit", "f32", 1), none);
};

/** One operand. */
const single =
  (op: string, attributesOf: (source: Source) => Attributes): Conversion =>
  (source) => {
    const parts = new Parts(source);
    const x = real(parts, "x", source.inputs.slice(0, 3));
    return coded(source, parts, op, [x], attributesOf(source), source.inputs.slice(3));
  };

export const qLinearSigmoid = single("Sigmoid", () => ({}));
export const qLinearLeakyRelu = single("LeakyRelu", (source) => ({
  alpha: source.attribute("alpha") ?? 0.01,
}));
export const qLinearReduceMean = single("ReduceMean", (source) => source.attributes());

/** The scale that ONNX Runtime rounds a softmax to codes by: it takes a whole number of codes for 1. */
function wholeScale(source: Source, scale: string): string {
  const known = source.constant(scale);
  if (known?.data.length !== 1)
    throw source.error("the scale of its result is computed", { expected: "a constant" });
  source.ignore(scale);
  const codes = Math.floor(Math.fround(1 / known.data[0]!));
  return source.define(`${source.name}_scale`, tensor("f32", [], [1 / codes]));
}

/** An axis, the last one by default, or before opset 13 all that is behind it. */
export const qLinearSoftmax: Conversion = (source) => {
  const isOld = source.int("opset", 13) < 13;
  const axis = source.int("axis", -1);
  const parts = new Parts(source);
  const x = real(parts, "x", source.inputs.slice(0, 3));
  const [scale = "", zero = ""] = source.inputs.slice(3);
  const result = [wholeScale(source, scale), zero];
  if (!isOld) return coded(source, parts, "Softmax", [x], { axis }, result);
  const shape = parts.make("Shape", "shape", [x]);
  const flat = parts.make("Flatten", "flat", [x], { axis });
  const rows = parts.make("Softmax", "rows", [flat], { axis: -1 });
  return coded(source, parts, "Reshape", [rows, shape], {}, result);
};

/** Scale and zero point of the result, then those of each operand behind it. */
export const qLinearConcat: Conversion = (source) => {
  const parts = new Parts(source);
  const [scale = "", zero = "", ...operands] = source.inputs;
  const count = Math.floor(operands.length / 3);
  const inputs = Array.from({ length: count }, (_, i) =>
    real(parts, `x_${i}`, operands.slice(3 * i, 3 * i + 3)),
  );
  return coded(source, parts, "Concat", inputs, { axis: source.int("axis", 0) }, [scale, zero]);
};

/** A condition, and two operands. */
export const qLinearWhere: Conversion = (source) => {
  const parts = new Parts(source);
  const [condition = "", ...operands] = source.inputs;
  const both = [real(parts, "x", operands.slice(0, 3)), real(parts, "y", operands.slice(3, 6))];
  return coded(source, parts, "Where", [condition, ...both], {}, operands.slice(6));
};

/** The dimensions of images with channels second from last, and back. */
function permutations(
  source: Source,
  rank: number | undefined,
): { readonly toSecond: number[]; readonly toLast: number[] } {
  if (rank === undefined || rank < 3)
    throw source.error("the rank of its channels-last input is not known", {
      expected: "its shape in the file",
    });
  const spatial = Array.from({ length: rank - 2 }, (_, i) => i + 1);
  return { toSecond: [0, rank - 1, ...spatial], toLast: [0, ...spatial.map((i) => i + 1), 1] };
}

/** An operator over images between transposes, where a node has channels last. */
function overImages(
  source: Source,
  rank: number | undefined,
  convert: (parts: Parts, x: string) => readonly Node[],
  isLast = source.int("channels_last", 0) !== 0,
): readonly Node[] {
  const [x = ""] = source.inputs;
  const parts = new Parts(source);
  if (!isLast) return convert(parts, x);
  const { toSecond, toLast } = permutations(source, rank);
  const turned = parts.make("Transpose", "channels_second", [x], { perm: toSecond });
  const nodes = convert(parts, turned);
  const last = nodes.at(-1)!;
  const inner = source.fresh(`${source.name}_result`);
  const back = {
    op: "Transpose",
    name: source.fresh(`${source.name}_channels_last`),
    inputs: [inner],
    outputs: last.outputs,
  };
  return [...nodes.slice(0, -1), { ...last, outputs: [inner] }, { ...back, attributes: { perm: toLast } }];
}

const pooled =
  (op: string): Conversion =>
  (source) =>
    overImages(source, source.rank(source.inputs[0]!), (parts, x) => {
      const [, scale = "", zero = ""] = source.inputs;
      const own = real(parts, "x", [x, scale, zero]);
      return coded(source, parts, op, [own], source.attributes(), source.inputs.slice(3));
    });

export const qLinearAveragePool = pooled("AveragePool");
export const qLinearGlobalAveragePool = pooled("GlobalAveragePool");

/** ONNX's QLinearConv, of which only the images may have channels last. */
export const qLinearConv: Conversion = (source) =>
  overImages(source, source.rank(source.inputs[3]!), (parts, x) => [
    ...parts.nodes,
    ...convolved(source).map((node) => ({
      ...node,
      inputs: node.inputs.map((name) => (name === source.inputs[0] ? x : name)),
    })),
  ]);

/** MaxPool over images with channels last, floats or codes. */
export const nhwcMaxPool: Conversion = (source) =>
  overImages(
    source,
    source.rank(source.inputs[0]!),
    (parts, x) => parts.last("MaxPool", [x], source.attributes()),
    true,
  );

/** alpha · A · B + C, C in units of alpha · a_scale · b_scale; floats where no scale of the result is given. */
export const qGemm: Conversion = (source) => {
  const [a = "", as = "", az = "", b = "", bs = "", bz = "", c = "", ...result] = source.inputs;
  const parts = new Parts(source);
  const alpha = source.attribute("alpha") ?? 1;
  const transB = source.int("transB", 0);
  const inputs = [real(parts, "a", [a, as, az]), real(parts, "b", [b, bs, bz], transB === 0 ? 1 : 0)];
  if (c !== "") inputs.push(real(parts, "c", [c, parts.make("Mul", "c_scale", [as, bs])], -1));
  const attributes = { alpha, beta: alpha, transA: source.int("transA", 0), transB };
  if (result.length === 0) return parts.last("Gemm", inputs, attributes);
  return coded(source, parts, "Gemm", inputs, attributes, result);
};

/** A product, plus a bias where there is one. */
function plus(parts: Parts, operands: readonly string[], bias: string): readonly Node[] {
  if (bias === "") return parts.last("MatMul", operands);
  return parts.last("Add", [parts.make("MatMul", "product", operands), bias]);
}

/** Codes times codes, as floats. */
export const matMulIntegerToFloat: Conversion = (source) => {
  const [a = "", b = "", as = "", bs = "", az = "", bz = "", bias = ""] = source.inputs;
  const parts = new Parts(source);
  return plus(parts, [real(parts, "a", [a, as, az]), real(parts, "b", [b, bs, bz], -1)], bias);
};

/** Floats whose range a run finds, times codes. */
export const dynamicQuantizeMatMul: Conversion = (source) => {
  const [a = "", b = "", bs = "", bz = "", bias = ""] = source.inputs;
  const parts = new Parts(source);
  const codes = parts.several("DynamicQuantize", ["codes", "scale", "zero_point"], [a]);
  return plus(parts, [real(parts, "a", codes), real(parts, "b", [b, bs, bz], -1)], bias);
};

/** Attention whose input and weights are codes. */
export const qAttention: Conversion = (source) => {
  const [x = "", w = "", bias = "", xs = "", ws = "", mask = "", xz = "", wz = "", past = ""] = source.inputs;
  const parts = new Parts(source);
  const operands = [real(parts, "x", [x, xs, xz]), real(parts, "w", [w, ws, wz], -1)];
  const columns = source.constant(w)?.shape[1];
  return projected(source, parts, parts.make("MatMul", "product", operands), bias, columns, [mask, past, ""]);
};

/** Weights [directions, inputs, gates] under scales a direction, or a gate, as [directions, gates, inputs]. */
function gateWeights(
  parts: Parts,
  what: string,
  [codes = "", scale = "", zero = ""]: readonly string[],
): string {
  const wide = (name: string, value: string) =>
    parts.make("Reshape", `${what}_${name}`, [value, parts.integers(`${what}_${name}_shape`, [0, 1, -1])]);
  const less = parts.make("Sub", `${what}_less`, [
    parts.make("Cast", `${what}_codes`, [codes], { to: "f32" }),
    wide("zeros", parts.make("Cast", `${what}_zero`, [zero], { to: "f32" })),
  ]);
  const reals = parts.make("Mul", `${what}_real`, [less, wide("scales", scale)]);
  return parts.make("Transpose", `${what}_turned`, [reals], { perm: [0, 2, 1] });
}

/**
 * Constant weights as `gateWeights` turns them, as codes without zero points under a scale each row; undefined where they are computed, or their codes
 * do not fit 8 bits then.
 */
function gateCodes(source: Source, parts: Parts, what: string, names: readonly string[]): string | undefined {
  const [codes, scale, zero] = names.map((name) => source.constant(name));
  if (!codes || !scale || !zero || codes.shape.length !== 3) return undefined;
  const [directions, k, n] = codes.shape as [number, number, number];
  const counts = [directions, directions * n];
  if (!counts.includes(scale.data.length) || !counts.includes(zero.data.length)) return undefined;
  const of = ({ data }: Tensor, row: number) => data[data.length === counts[1] ? row : Math.floor(row / n)]!;
  const turned = Int32Array.from(codes.data, (_, i) => {
    const row = Math.floor(i / k);
    return codes.data[Math.floor(row / n) * k * n + (i % k) * n + (row % n)]! - of(zero, row);
  });
  if (turned.some((q) => q < -128 || q > 127)) return undefined;
  source.ignore(...names);
  const each = Float32Array.from({ length: directions * n }, (_, row) => of(scale, row));
  const own = source.define(`${source.name}_${what}_codes`, tensor("i8", [directions, n, k], turned));
  const scales = source.define(`${source.name}_${what}_scales`, tensor("f32", [directions, n, 1], each));
  return parts.make("DequantizeLinear", what, [own, scales], { axis: 2, block_size: k });
}

/**
 * LSTM whose input and states become codes of one range for all rows, as its weights are. Weights whose codes do not fit 8 bits less their zero
 * points are floats, and so is then what they are multiplied by.
 */
export const dynamicQuantizeLSTM: Conversion = (source) => {
  const [x = "", w = "", r = "", ...others] = source.inputs;
  const [ws = "", wz = "", rs = "", rz = ""] = others.slice(5);
  const parts = new Parts(source);
  const own = [
    ["w", w, ws, wz],
    ["r", r, rs, rz],
  ] as const;
  const coded = own.map(([what, ...names]) => gateCodes(source, parts, what, names));
  const isCoded = coded.every((name) => name !== undefined);
  const weights = isCoded ? coded : own.map(([what, ...names]) => gateWeights(parts, what, names));
  const codes = () => parts.several("DynamicQuantize", ["codes", "scale", "zero_point"], [x]);
  const inputs = [isCoded ? real(parts, "x", codes()) : x, ...weights, ...others.slice(0, 5)];
  while (inputs.at(-1) === "") inputs.pop();
  const range = isCoded ? { state_range: "batch" } : {};
  return parts.last("LSTM", inputs, { ...source.attributes(), ...range }, source.outputs);
};
