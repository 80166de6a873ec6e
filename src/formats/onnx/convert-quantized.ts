// Operators over codes become the float operator between DequantizeLinear and QuantizeLinear, which is what they mean;
// a pass makes an integer layer of that again.

import type { Attribute, Node } from "../../graph/graph";
import { Parts } from "./parts";
import type { Conversion, Source } from "./source";

/** x, its scale and zero point; w and its; scale and zero point of y; bias in the units of the sums. */
export const qLinearConv: Conversion = (source) => {
  const [x, xs, xz, w, ws, wz, ys, yz, bias = ""] = source.inputs as string[];
  const attributes = source.attributes();
  const parts = new Parts(source);
  const inputs = [
    parts.make("DequantizeLinear", "x", [x!, xs!, xz!]),
    parts.make("DequantizeLinear", "w", [w!, ws!, wz!], { axis: 0 }),
  ];
  if (bias !== "") {
    const scale = parts.make("Mul", "b_scale", [xs!, ws!]);
    inputs.push(parts.make("DequantizeLinear", "b", [bias, scale], { axis: 0 }));
  }
  return parts.end("Conv", inputs, attributes, ys!, yz!);
};

/** a, its scale and zero point; b and its, one pair in all or one a column; scale and zero point of y. */
export const qLinearMatMul: Conversion = (source) => {
  const [a, as, az, b, bs, bz, ys, yz] = source.inputs as string[];
  const parts = new Parts(source);
  const inputs = [
    parts.make("DequantizeLinear", "a", [a!, as!, az!]),
    parts.make("DequantizeLinear", "b", [b!, bs!, bz!], { axis: -1 }),
  ];
  return parts.end("MatMul", inputs, {}, ys!, yz!);
};

/** Codes times codes as int32: the sums themselves are codes of scale 1. */
function integerProduct(
  source: Source,
  op: string,
  axis: number,
  attributes: Record<string, Attribute>,
): readonly Node[] {
  const [x, w, xz = "", wz = ""] = source.inputs as string[];
  const parts = new Parts(source);
  const [one, zero] = [parts.scalar("one", "f32", 1), parts.scalar("zero", "i32", 0)];
  const real = (what: string, codes: string, zeroPoint: string) => {
    if (zeroPoint === "") return parts.make("DequantizeLinear", what, [codes, one]);
    const shape = parts.make("Shape", `${what}_shape`, [zeroPoint]);
    const ones = parts.make("ConstantOfShape", `${what}_ones`, [shape], { dtype: "f32", value: 1 });
    return parts.make("DequantizeLinear", what, [codes, ones, zeroPoint], { axis });
  };
  return parts.end(op, [real("x", x!, xz), real("w", w!, wz)], attributes, one, zero);
}

export const matMulInteger: Conversion = (source) => integerProduct(source, "MatMul", -1, {});

export const convInteger: Conversion = (source) => integerProduct(source, "Conv", 0, source.attributes());

/** Codes, scale and zero point of a whole tensor, found at run time. The zero point is u8 in ONNX. */
export const dynamicQuantizeLinear: Conversion = (source) => {
  const [codes, scale, zeroPoint = ""] = source.outputs;
  const wide = source.fresh(`${source.name}_zero_point`);
  const name = source.fresh(`${source.name}_cast`);
  const cast = source.node({ to: "u8" }, { op: "Cast", name, inputs: [wide], outputs: [zeroPoint] });
  return [
    source.node({}, { op: "DynamicQuantize", outputs: [codes!, scale ?? "", wide] }),
    ...(zeroPoint === "" ? [] : [cast]),
  ];
};
