import { numberOf } from "./op";
import { unary } from "./unary";

/** min(max(x, min), max), with the bounds as attributes. ONNX Clip-13. */
export const clip = unary("clip", (node) => [
  numberOf(node, "min", -Infinity),
  numberOf(node, "max", Infinity),
]);
