import { countOf } from "../graph/symbols";
import { floatType, type Op } from "./op";

/**
 * Codes, scale and zero point of every row, found at run time: s = (max(0, hi) − min(0, lo)) / 255, zp = rne(clamp(0 − lo/s, 0, 255)).
 * Octette's own; ONNX DynamicQuantizeLinear-11 a row at a time.
 */
export const dynamicQuantize: Op = {
  infer(node, inputs) {
    const { shape } = floatType(node, inputs, 0);
    const rows = [...shape.slice(0, -1), 1];
    return [
      { dtype: "u8", shape },
      { dtype: "f32", shape: rows },
      { dtype: "i32", shape: rows },
    ];
  },
  /** A row's range does not depend on its order, so a flattened image is taken as it lies. */
  layout(_, [x = "plain"], [type]) {
    const kept = x.startsWith("flat:") && type!.shape.length === 2 ? x : "plain";
    return { inputs: [kept], outputs: [kept, "plain", "plain"] };
  },
  lower({ inputs, outputs }, c) {
    const [codes, scale, zeroPoint] = outputs as [string, string, string];
    const { shape } = c.type(inputs[0]!);
    const places = [c.output(codes), c.output(scale), c.output(zeroPoint)] as const;
    c.emit("dynamicQuantize", [...places, c.input(inputs[0]!), shape.at(-1)!], countOf(shape.slice(0, -1)));
  },
};
