// How a node of each operator is made: every form that ONNX gives it in the opset at hand, with inputs of every type and shape.
// A form that the opset does not have is sometimes made, too: the runtimes refuse it.

import type { FileNode } from "../formats/onnx/model-file";
import type { Builder, Value } from "./builder";
import type { Elements, ElementType } from "./elements";
import {
  anyAxis,
  axesOf,
  broadcast,
  every,
  float,
  floats,
  integers,
  ints,
  type Maker,
  narrow,
  partner,
  some,
} from "./forms";
import { control } from "./operators-control";
import { quantized } from "./operators-quantized";
import { shaped } from "./operators-shape";
import { windows } from "./operators-window";

const unary =
  (
    op: string,
    types: readonly ElementType[] = floats,
    attributes: (b: Builder) => FileNode["attributes"] = () => ({}),
    since = 1,
  ): Maker =>
  (b) => {
    if (b.opset < since) return false;
    const x = b.data(types);
    b.node(op, [x], attributes(b), [x.type, x.shape]);
  };

/** Elements without 0 where they divide integers, and without −1, by which the lowest has no quotient. */
function divisor(b: Builder, type: ElementType, shape: readonly number[]): Elements {
  const elements = b.elements(type, shape);
  return /f/.test(type)
    ? elements
    : {
        ...elements,
        values: elements.values.map((v) => (v === 0 || v === 0n || v === -1 || v === -1n ? 3 : v)),
      };
}

/** Another operand for x: an input, a constant or x itself. */
function operand(b: Builder, x: Value, divides = false): Value {
  const shape = partner(b, x.shape);
  const elements = divides ? divisor(b, x.type, shape) : b.elements(x.type, shape);
  return b.operand(elements, 0.45);
}

const numeric = (b: Builder): readonly ElementType[] =>
  b.opset >= 14 ? [...floats, ...integers, ...narrow] : [...floats, ...integers, "u32", "u64"];

const binary =
  (op: string, result?: ElementType, types = numeric, since = 7): Maker =>
  (b) => {
    if (b.opset < since) return false;
    const x = b.data(types(b));
    const y = operand(b, x, op === "Div" || op === "Mod");
    const [left, right] = b.chance(0.3) && op !== "Div" && op !== "Mod" ? [y, x] : [x, y];
    const shape = broadcast(x.shape, y.shape);
    const attributes: Record<string, number> = {};
    if (op === "Mod" && (/f/.test(x.type) || b.chance(0.3))) attributes.fmod = 1;
    b.node(op, [left, right], attributes, [result ?? x.type, shape]);
  };

const variadic =
  (op: string): Maker =>
  (b) => {
    const types = op === "Sum" || b.opset < 12 ? floats : [...floats, ...integers, ...narrow];
    const x = b.data(types);
    const others = Array.from({ length: b.int(0, 3) }, () => operand(b, x));
    b.node(op, [x, ...others], {}, [x.type, broadcast(x.shape, ...others.map(({ shape }) => shape))]);
  };

const clip: Maker = (b) => {
  const x = b.data(b.opset >= 12 ? ["f32", "f32", "f16", "f64", "i8", "u8", "i32", "i64"] : floats);
  const low = b.chance(0.75) ? (/u/.test(x.type) ? b.int(0, 2) : b.int(-3, 1)) : undefined;
  const high = b.chance(0.75) ? b.int(-1, 6) : undefined;
  if (b.opset < 11) {
    const attributes: Record<string, unknown> = {};
    if (low !== undefined) attributes.min = float(low);
    if (high !== undefined) attributes.max = float(high + 0.5);
    b.node("Clip", [x], attributes as never, [x.type, x.shape]);
    return;
  }
  const shape = b.chance(0.1) ? [1] : [];
  const bound = (v: number | undefined) =>
    v === undefined ? undefined : b.parameter(x.type, shape, [Math.max(v, /u/.test(x.type) ? 0 : v)]);
  b.node("Clip", [x, bound(low), bound(high)], {}, [x.type, x.shape]);
};

const reduce =
  (op: string): Maker =>
  (b) => {
    const x = b.data([...floats, ...integers]);
    const rank = x.shape.length;
    const keepdims = b.chance(0.5) ? 1 : b.int(0, 1);
    const attributes: Record<string, unknown> = b.chance(0.6) ? { keepdims } : {};
    const keeps = "keepdims" in attributes ? keepdims === 1 : true;
    let axes = b.chance(0.8) ? axesOf(b, rank, b.chance(0.9) ? 1 : 0) : undefined;
    const inputs: (Value | undefined)[] = [x];
    if (b.opset < 18) {
      if (axes?.length === 0) axes = undefined;
      if (axes) attributes.axes = ints(axes);
    } else {
      if (b.chance(0.3)) attributes.noop_with_empty_axes = b.int(0, 1);
      if (axes) inputs.push(b.parameter("i64", [axes.length], axes));
      if (!axes?.length && attributes.noop_with_empty_axes === 1) axes = [-rank - 1];
      else if (axes?.length === 0) axes = undefined;
    }
    const reduced = axes ? axes.map((axis) => (axis < 0 ? axis + rank : axis)) : x.shape.map((_, i) => i);
    const shape = keeps
      ? x.shape.map((dim, i) => (reduced.includes(i) ? 1 : dim))
      : x.shape.filter((_, i) => !reduced.includes(i));
    b.node(op, inputs, attributes as never, [x.type, shape]);
  };

const argMax: Maker = (b) => {
  const x = b.data(["f32", "f32", "f16", "f64", "i32", "i8", "u8", "i64"], 1);
  const axis = anyAxis(b, x.shape.length);
  const attributes: Record<string, number> = some(b, {
    axis,
    ...(b.opset >= 12 ? { select_last_index: b.int(0, 1) } : {}),
  });
  const keepdims = b.int(0, 1);
  if (b.chance(0.6)) attributes.keepdims = keepdims;
  const at = ((attributes.axis ?? 0) + x.shape.length) % x.shape.length;
  const keeps = attributes.keepdims ?? 1;
  const shape = keeps ? x.shape.map((dim, i) => (i === at ? 1 : dim)) : x.shape.filter((_, i) => i !== at);
  b.node("ArgMax", [x], attributes, ["i64", shape]);
};

const softmax =
  (op: string): Maker =>
  (b) => {
    const x = b.data(floats, 1);
    b.node(op, [x], some(b, { axis: anyAxis(b, x.shape.length) }), [x.type, x.shape]);
  };

const where: Maker = (b) => {
  if (b.opset < 9) return false;
  const x = b.data(["f32", "f32", "i32", "i64", "u8", "bool", "f16", "i8"]);
  const y = operand(b, x);
  const shape = broadcast(x.shape, y.shape) ?? x.shape;
  const asked = b.elements("bool", partner(b, shape));
  const condition = b.operand(asked, 0.3);
  const [left, right] = b.chance(0.5) ? [x, y] : [y, x];
  b.node("Where", [condition, left, right], {}, [x.type, broadcast(condition.shape, shape)]);
};

const matMul: Maker = (b) => {
  const x = b.data(["f32", "f32", "f32", "f64", "i32", "i64"], 1, 4);
  const inner = x.shape.at(-1)!;
  const columns = b.int(1, 5);
  const leading = x.shape.slice(0, -2);
  const shape = b.chance(0.2) ? [inner] : [...(b.chance(0.4) ? partner(b, leading) : []), inner, columns];
  const elements = b.elements(x.type, shape);
  const y = b.operand(elements, 0.6);
  const lead = broadcast(leading, shape.slice(0, -2));
  const rows = x.shape.length > 1 ? [x.shape.at(-2)!] : [];
  const result = lead && [...lead, ...rows, ...(shape.length > 1 ? [columns] : [])];
  b.node("MatMul", [x, y], {}, [x.type, result]);
};

const gemm: Maker = (b) => {
  const x = b.data(["f32", "f32", "f32", "f64", "i32", "i64"], 2, 2);
  const transA = b.chance(0.2) ? 1 : 0;
  const transB = b.int(0, 1);
  const [m, k] = transA ? [x.shape[1]!, x.shape[0]!] : [x.shape[0]!, x.shape[1]!];
  const n = b.int(1, 5);
  const weights = b.elements(x.type, transB ? [n, k] : [k, n]);
  const w = b.chance(0.75) ? b.constant(weights) : b.input(weights, false);
  const shapes = [[n], [1, n], [m, 1], [m, n], [1], [], [1, 1], n === m ? [m, 1] : [n]];
  const hasC = b.opset < 11 || b.chance(0.8);
  const c = hasC ? b.parameter(x.type, b.pick(shapes)) : undefined;
  const attributes: Record<string, unknown> = some(
    b,
    { alpha: float(b.pick([1, 0.5, 2, 0])), beta: float(b.pick([1, 0.5, 0, 2])) },
    0.4,
  );
  if (transA || b.chance(0.2)) attributes.transA = transA;
  if (transB || b.chance(0.2)) attributes.transB = transB;
  b.node("Gemm", [x, w, c], attributes as never, [x.type, [m, n]]);
};

const batchNormalization: Maker = (b) => {
  const x = b.data(["f32", "f32", "f64"], b.chance(0.1) ? 1 : 2);
  const channels = x.shape.length > 1 ? x.shape[1]! : 1;
  const positive = (e: Elements) => ({ ...e, values: e.values.map((v) => Math.abs(Number(v)) + 0.1) });
  const vector = () => b.parameter(x.type, [channels]);
  const variance = positive(b.elements(x.type, [channels]));
  const inputs = [x, vector(), vector(), vector(), b.parameter(x.type, [channels], variance.values)];
  const attributes = some(b, {
    epsilon: float(b.pick([1e-5, 1e-3, 0.1])),
    momentum: float(0.9),
    ...(b.opset < 9 ? { spatial: b.int(0, 1) } : {}),
    ...(b.opset >= 14 ? { training_mode: 0 } : {}),
  });
  b.node("BatchNormalization", inputs, attributes, [x.type, x.shape]);
};

const layerNormalization: Maker = (b) => {
  if (b.opset < 17) return false;
  const x = b.data(["f32", "f32", "f16", "f64"], 1);
  const rank = x.shape.length;
  const axis = b.chance(0.5) ? -1 : anyAxis(b, rank);
  const inner = x.shape.slice(axis < 0 ? axis + rank : axis);
  const shape = b.chance(0.8) ? inner : partner(b, inner).slice(-inner.length);
  const inputs = [
    x,
    b.parameter(x.type, shape),
    b.chance(0.6) ? b.parameter(x.type, b.chance(0.9) ? shape : inner) : undefined,
  ];
  const attributes: Record<string, unknown> = some(
    b,
    { epsilon: float(b.pick([1e-5, 1e-3])), stash_type: 1 },
    0.4,
  );
  if (axis !== -1 || b.chance(0.3)) attributes.axis = axis;
  const more = b.chance(0.05) ? ([["f32", undefined]] as const) : [];
  b.node("LayerNormalization", inputs, attributes as never, [x.type, x.shape], ...more);
};

const dropout: Maker = (b) => {
  const x = b.data(floats);
  const more = b.chance(0.1) ? ([["bool", x.shape]] as const) : [];
  if (b.opset < 12)
    return void b.node("Dropout", [x], some(b, { ratio: float(0.5) }), [x.type, x.shape], ...more);
  const ratio = b.chance(0.5) ? b.parameter("f32", [], [b.pick([0.5, 0])]) : undefined;
  const training = b.chance(0.4) ? b.parameter("bool", [], [b.chance(0.85) ? 0 : 1]) : undefined;
  // With a ratio of 0, training keeps everything, too.
  const sure = training && !ratio ? b.parameter("f32", [], [0]) : ratio;
  b.node("Dropout", [x, sure, training], some(b, { seed: 1 }), [x.type, x.shape], ...more);
};

const plain: Readonly<Record<string, Maker>> = {
  Abs: unary("Abs", [...floats, ...integers, ...narrow]),
  Add: binary("Add"),
  ArgMax: argMax,
  BatchNormalization: batchNormalization,
  Ceil: unary("Ceil"),
  Clip: clip,
  Div: binary("Div"),
  Dropout: dropout,
  Elu: unary("Elu", ["f32", "f32", "f64"], (b) => some(b, { alpha: float(b.pick([1, 0.5, 2])) })),
  Equal: binary("Equal", "bool", (b) =>
    b.opset >= 11 ? [...floats, ...integers, "bool", "u8", "i8"] : [...integers, "bool"],
  ),
  Erf: unary("Erf", ["f32"], () => ({}), 9),
  Exp: unary("Exp"),
  Floor: unary("Floor"),
  Gelu: unary("Gelu", floats, (b) => some(b, { approximate: b.pick(["none", "tanh"]) }), 20),
  Gemm: gemm,
  HardSigmoid: unary("HardSigmoid", ["f32", "f32", "f64"], (b) =>
    some(b, { alpha: float(b.pick([0.2, 0.5, -0.1])), beta: float(b.pick([0.5, 0.25])) }),
  ),
  HardSwish: unary("HardSwish", ["f32", "f32", "f64"], () => ({}), 14),
  Identity: unary("Identity", every),
  LayerNormalization: layerNormalization,
  LeakyRelu: unary("LeakyRelu", ["f32", "f32", "f64"], (b) =>
    some(b, { alpha: float(b.pick([0.01, 0.3, -0.5, 1.5])) }),
  ),
  LogSoftmax: softmax("LogSoftmax"),
  MatMul: matMul,
  Max: variadic("Max"),
  Min: variadic("Min"),
  Mod: binary("Mod", undefined, () => [...floats, ...integers, ...narrow], 10),
  Mul: binary("Mul"),
  Neg: unary("Neg", ["f32", "f32", "f16", "f64", "i8", "i32", "i64", "i16"]),
  Not: unary("Not", ["bool"]),
  ReduceMean: reduce("ReduceMean"),
  ReduceProd: reduce("ReduceProd"),
  Relu: unary("Relu", ["f32", "f32", "f16", "f64", "i8", "i32", "i64"]),
  Sigmoid: unary("Sigmoid", ["f32", "f32", "f16", "f64"]),
  Softmax: softmax("Softmax"),
  Sqrt: unary("Sqrt", ["f32", "f32", "f64"]),
  Sub: binary("Sub"),
  Sum: variadic("Sum"),
  Swish: unary("Swish", floats, (b) => some(b, { alpha: float(b.pick([1, 1, 0.5])) }), 24),
  Tanh: unary("Tanh", ["f32", "f32", "f16", "f64"]),
  Where: where,
  ...quantized,
  ...shaped,
  ...windows,
};

export const makers: Readonly<Record<string, Maker>> = { ...plain, ...control(plain) };
