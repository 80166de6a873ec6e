// The way back of what converts between codes and numbers, and of codes whose ranges a run finds. ONNX finds one range in all;
// a range for every row is a function of the model's own.

import type { Codes, Node } from "../../graph/graph";
import { type Tensor, tensor } from "../../graph/tensor";
import { ROW_FUNCTIONS } from "./convert-functions";
import { isOfSharedRange } from "./export-recurrent";
import { rowFunctions } from "./row-functions";
import type { Target, Way } from "./target";
import { unwritten, writeSame } from "./ways";
import { dataTypes, kindOfDtype } from "./write-proto";

/** x as codes of a type; those of int32 by rounding alone. */
export const quantizeLinear: Way = (node, target) => {
  const { output_dtype } = node.attributes;
  const { dtype } = target.type(node.outputs[0]!);
  if (dtype !== "i32") {
    const named = typeof output_dtype === "string" ? { output_dtype: dataTypes[dtype] } : {};
    return writeSame(node, target, { op: "QuantizeLinear", attributes: named });
  }
  const [x = "", scale = "", zero = ""] = node.inputs;
  requireZero(node, target, zero);
  const steps = target.add("Round", [target.add("Div", [x, target.operand(scale)])]);
  target.write(node, "Cast", [steps], { to: dataTypes.i64 });
};

export { quantizeLinear as generalQuantize };

export const dequantizeLinear: Way = (node, target) => {
  const [codes = "", scale = "", zero = ""] = node.inputs;
  const { dtype } = target.type(codes);
  if (isOfRows(node, target)) {
    writeDequantizeRows(target, codes, scale, zero, node.outputs[0]!, node.name);
    return;
  }
  if (dtype !== "i32") return writeSame(node, target, { op: "DequantizeLinear" });
  requireZero(node, target, zero);
  const held = target.constant(codes)
    ? target.operand(codes, "i32")
    : target.add("Cast", [codes], { attributes: { to: dataTypes.i32 } });
  target.write(node, "DequantizeLinear", [held, target.operand(scale)], node.attributes);
};

export { dequantizeLinear as generalDequantize };

/** Whether a scale is found for every row. */
function isOfRows({ inputs, attributes }: Node, target: Target): boolean {
  const [codes = "", scale = ""] = inputs;
  const rank = target.type(codes).shape.length;
  return attributes.axis === -1 && !target.constant(scale) && target.type(scale).shape.length === rank;
}

function requireZero(node: Node, target: Target, zeroPoint: string): void {
  const known = target.constant(zeroPoint);
  if (zeroPoint === "" || known?.data.every((value) => value === 0)) return;
  throw unwritten(node, "its codes of int32 have a zero point", "zero point 0");
}

/** ONNX has the zero point in u8, and a range of all elements; that of rows is a function. */
export const dynamicQuantize: Way = (node, target) => {
  const [codes = "", scale = "", zero = ""] = node.outputs;
  if (isFoundWithin(node, target)) return;
  const narrow = target.fresh(`${zero}_u8`);
  const outputs = [codes, scale, narrow];
  const { name } = node;
  const inputs = node.inputs.map((value) => target.operand(value));
  if (node.attributes.axis === undefined) target.add("DynamicQuantizeLinear", inputs, { name, outputs });
  else {
    const { domain, quantize } = ROW_FUNCTIONS;
    target.function(rowFunctions.quantize);
    target.add(quantize, inputs, { name, outputs, domain });
  }
  if (target.isReadPlainly(zero))
    target.add("Cast", [narrow], { outputs: [zero], attributes: { to: dataTypes.i64 } });
  target.nameCodes(zero, narrow);
};

/** Whether all that read the codes find their range by themselves. */
function isFoundWithin({ outputs }: Node, target: Target): boolean {
  const readers = outputs.flatMap((output) => target.readersOf(output));
  const isOutput = target.graph.outputs.some((value) => outputs.includes(value));
  return readers.length > 0 && readers.every(isOfSharedRange) && !isOutput;
}

/** What codes of rows stand for; gives `made`. */
export function writeDequantizeRows(
  target: Target,
  codes: string,
  scale: string,
  zeroPoint: string,
  made: string,
  name?: string,
): string {
  const { domain, dequantize } = ROW_FUNCTIONS;
  target.function(rowFunctions.dequantize);
  const inputs = [codes, scale, target.codesOf(zeroPoint)];
  return target.add(dequantize, inputs, { outputs: [made], domain, ...(name !== undefined && { name }) });
}

/** A layer whose result is the sums of its codes, as int32. */
export function writeIntegerSums(node: Node & { readonly codes: Codes }, target: Target): void {
  const [x = "", w = "", bias = ""] = node.inputs;
  const isProduct = node.op === "Linear";
  const weights = target.constant(w);
  if (!weights || (!isProduct && node.op !== "Conv") || node.codes.bounds)
    throw unwritten(node, "its result is int32 codes", "a product with constant weights, no activation");
  const zero = node.codes.inputs[0]!.zeroPoint;
  const held = isProduct ? target.hold(`${w}_turned`, turned(weights)) : target.operand(w);
  const inputs = [target.codesOf(x), held, zero === "" ? "" : target.codesOf(target.operand(zero))];
  const attributes = isProduct ? {} : node.attributes;
  const sums = target.add(isProduct ? "MatMulInteger" : "ConvInteger", inputs, {
    name: node.name,
    attributes,
  });
  const wide = target.add("Cast", [sums], { attributes: { to: dataTypes.i64 } });
  const added = bias === "" ? wide : target.add("Add", [wide, biasOf(target, bias, node, weights)]);
  target.add("Identity", [added], { outputs: node.outputs });
}

function biasOf(target: Target, bias: string, { op }: Node, { shape }: Tensor): string {
  const { data } = target.constant(bias)!;
  const places = op === "Linear" ? [] : shape.slice(2).map(() => 1);
  return target.hold(`${bias}_added`, tensor("i32", [data.length, ...places], data), kindOfDtype("i32"));
}

/** A matrix with its dimensions exchanged. */
export function turned({ dtype, shape: [rows = 0, cols = 0], data }: Tensor): Tensor {
  const made = tensor(dtype, [cols, rows], { length: 0 });
  for (let i = 0; i < rows; i++) for (let j = 0; j < cols; j++) made.data[j * rows + i] = data[i * cols + j]!;
  return made;
}
