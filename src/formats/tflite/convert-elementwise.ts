// Operators over elements by themselves. They take images as they are, with channels first or last.

import type { Attribute } from "../../graph/graph";
import { elementKinds } from "../elements";
import { kindOf } from "./elements";
import type { Conversion, Conversions, OperatorSource } from "./source";
import { IMAGE, type Order } from "./values";

type Attributes = Readonly<Record<string, Attribute>>;

const FIRST = [0, 3, 1, 2];

/** First where all computed images are there so; an operand of lower rank must have known sizes then. */
function orderOf(source: OperatorSource, count: number): Order {
  const { values } = source;
  const operands = Array.from({ length: count }, (_, i) => source.tensor(i));
  const isImage = operands.some((operand) => operand.shape.length === IMAGE && values.isIn(operand, "first"));
  const fits = operands.every((operand) => {
    if (!values.isComputed(operand)) return operand.shape.length <= IMAGE;
    if (operand.shape.length === IMAGE) return values.isIn(operand, "first");
    return operand.shape.length < IMAGE && !operand.shape.includes(-1);
  });
  return isImage && fits ? "first" : "last";
}

/** An operand as it is broadcast in an order. */
function operandOf(source: OperatorSource, i: number, order: Order): string {
  const { shape } = source.tensor(i);
  if (order === "last" || shape.every((dim) => dim === 1)) return source.real(i);
  if (shape.length === IMAGE) return source.real(i, "first");
  const whole = [...Array.from({ length: IMAGE - shape.length }, () => 1), ...shape];
  const image = source.add("Reshape", [source.real(i)], { shape: whole });
  return source.add("Transpose", [image], { perm: FIRST });
}

/** Operands in one order, and that order. */
function operandsOf(
  source: OperatorSource,
  count: number,
): { readonly order: Order; readonly inputs: string[] } {
  const order = orderOf(source, count);
  return { order, inputs: Array.from({ length: count }, (_, i) => operandOf(source, i, order)) };
}

/** An op of the same meaning with so many inputs. */
const same =
  (
    op: string,
    count: number,
    attributes?: Attributes | ((source: OperatorSource) => Attributes),
  ): Conversion =>
  (source) => {
    const { order, inputs } = operandsOf(source, count);
    const own = typeof attributes === "function" ? attributes(source) : attributes;
    source.end(source.add(op, inputs, own), order);
  };

/** What `write` makes of so many operands. */
const written =
  (count: number, write: (source: OperatorSource, inputs: readonly string[]) => string): Conversion =>
  (source) => {
    const { order, inputs } = operandsOf(source, count);
    source.end(write(source, inputs), order);
  };

/** An op of two inputs, with the activation of its first option. */
const activated = (op: string): Conversion =>
  written(2, (source, inputs) => source.activated(source.add(op, inputs), source.options.byte(0)));

const negated = (op: string): Conversion =>
  written(2, (source, inputs) => source.add("Not", [source.add(op, inputs)]));

const clip = (min: number, max: number) => same("Clip", 1, { min, max });

const floorDiv = written(2, (source, inputs) => {
  const isFloat = elementKinds[kindOf(source.tensor(0)) ?? "f32"].dtype === "f32";
  if (!isFloat && !source.has(1)) throw source.error("input 1 is left out");
  if (isFloat) return source.add("Floor", [source.add("Div", inputs)]);
  // Integers are divided towards zero: what is left has the divisor's sign, as Mod has it, and is taken away before.
  const rest = source.add("Mod", inputs);
  return source.add("Div", [source.add("Sub", [inputs[0]!, rest]), inputs[1]!]);
});

const floorMod = written(2, (source, inputs) => {
  if (elementKinds[kindOf(source.tensor(0)) ?? "f32"].dtype !== "f32") return source.add("Mod", inputs);
  const whole = source.add("Floor", [source.add("Div", inputs)]);
  return source.add("Sub", [inputs[0]!, source.add("Mul", [whole, inputs[1]!])]);
});

/** A condition of one dimension before others is that of rows. */
function select(source: OperatorSource): void {
  const [condition, x] = [source.tensor(0), source.tensor(1)];
  const isRows = condition.shape.length === 1 && x.shape.length > 1;
  if (!isRows) return same("Where", 3)(source);
  const ones = x.shape.slice(1).map(() => 1);
  const rows = source.add("Reshape", [source.real(0)], { shape: [-1, ...ones] });
  source.end(source.add("Where", [rows, source.real(1), source.real(2)]));
}

function addN(source: OperatorSource): void {
  const { order, inputs } = operandsOf(source, source.inputs.length);
  const [first = "", ...rest] = inputs;
  source.end(
    rest.length === 0
      ? source.add("Identity", [first])
      : rest.reduce((sum, next) => source.add("Add", [sum, next]), first),
    order,
  );
}

/** Names of element types in the graph, by the tensor that a Cast makes. */
function cast(source: OperatorSource): void {
  const output = source.output();
  const kind = kindOf(output);
  if (!kind) throw source.error("it makes elements of a type octette does not have");
  const isPartial = ["i4", "i16", "u16", "u32", "u64"].includes(kind);
  const { order, inputs } = operandsOf(source, 1);
  source.end(source.add("Cast", inputs, { to: isPartial ? kind : elementKinds[kind].dtype }), order);
}

/** Rounds to the codes of a range that is given in numbers: what training simulates. */
function fakeQuant(source: OperatorSource): void {
  const { options } = source;
  const [min, max, bits] = [options.float(0), options.float(1), options.int(2)];
  const [lo, hi] = [options.bool(3) ? 1 : 0, 2 ** bits - 1];
  if (!(bits >= 2 && bits <= 16 && min <= 0 && max >= 0 && min < max))
    throw source.error("a range that has no codes", { got: `${min} to ${max} in ${bits} bits` });
  const scale = (max - min) / (hi - lo);
  const zero = Math.min(hi, Math.max(lo, Math.round(lo - min / scale)));
  const { order, inputs } = operandsOf(source, 1);
  const bounds = { min: (lo - zero) * scale, max: (hi - zero) * scale };
  const steps = source.add("Div", [source.add("Clip", inputs, bounds), source.number(scale)]);
  source.end(source.add("Mul", [source.add("Round", [steps]), source.number(scale)]), order);
}

export const elementwise: Conversions = {
  ABS: same("Abs", 1),
  ADD: activated("Add"),
  ADD_N: addN,
  BITWISE_XOR: same("BitwiseXor", 2),
  CAST: cast,
  CEIL: same("Ceil", 1),
  COS: same("Cos", 1),
  DIV: activated("Div"),
  ELU: same("Elu", 1),
  EQUAL: same("Equal", 2),
  EXP: same("Exp", 1),
  FAKE_QUANT: fakeQuant,
  FLOOR: same("Floor", 1),
  FLOOR_DIV: floorDiv,
  FLOOR_MOD: floorMod,
  GELU: same("Gelu", 1, ({ options }) => ({ approximate: options.bool(0) ? "tanh" : "none" })),
  GREATER: same("Greater", 2),
  GREATER_EQUAL: same("GreaterOrEqual", 2),
  HARD_SWISH: same("HardSwish", 1),
  LEAKY_RELU: same("LeakyRelu", 1, ({ options }) => ({ alpha: options.float(0) })),
  LESS: same("Less", 2),
  LESS_EQUAL: same("LessOrEqual", 2),
  LOG: same("Log", 1),
  LOGICAL_AND: same("And", 2),
  LOGICAL_NOT: same("Not", 1),
  LOGICAL_OR: same("Or", 2),
  LOGISTIC: same("Sigmoid", 1),
  MAXIMUM: same("Max", 2),
  MINIMUM: same("Min", 2),
  MUL: activated("Mul"),
  NEG: same("Neg", 1),
  NOT_EQUAL: negated("Equal"),
  POW: same("Pow", 2),
  PRELU: same("PRelu", 2),
  RELU: same("Relu", 1),
  RELU6: clip(0, 6),
  RELU_0_TO_1: clip(0, 1),
  RELU_N1_TO_1: clip(-1, 1),
  ROUND: same("Round", 1),
  RSQRT: written(1, (source, [x]) => source.add("Div", [source.number(1), source.add("Sqrt", [x!])])),
  SELECT: select,
  SELECT_V2: same("Where", 3),
  SIGN: same("Sign", 1),
  SIN: same("Sin", 1),
  SQRT: same("Sqrt", 1),
  SQUARE: written(1, (source, [x]) => source.add("Mul", [x!, x!])),
  SQUARED_DIFFERENCE: written(2, (source, inputs) => {
    const difference = source.add("Sub", inputs);
    return source.add("Mul", [difference, difference]);
  }),
  SUB: activated("Sub"),
  TANH: same("Tanh", 1),
};
