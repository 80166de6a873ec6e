import { extend, type Op } from "./op";
import { unary } from "./unary";

/** min(max(x, min), max), with the bounds as attributes. ONNX Clip-13. */
export const clip: Op = extend(
  unary("clip", [
    ["min", -Infinity],
    ["max", Infinity],
  ]),
  { inputs: 3, parameters: { 1: "min", 2: "max" } },
);
