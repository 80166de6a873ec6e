import { extend, numberOf, type Op } from "./op";
import { unary } from "./unary";

/** min(max(x, min), max), with the bounds as attributes. ONNX Clip-13. */
export const clip: Op = extend(
  unary("clip", (node) => [numberOf(node, "min", -Infinity), numberOf(node, "max", Infinity)]),
  { parameters: { 1: "min", 2: "max" } },
);
