import { extend, type Op, stringOf } from "./op";
import { unary } from "./unary";

const byErf = unary("gelu");
const byTanh = unary("geluTanh");

/** x · Φ(x), or its approximation by tanh. ONNX Gelu-20; Hendrycks & Gimpel 2016, arXiv:1606.08415. */
export const gelu: Op = extend(byErf, {
  lower: (unit, c) =>
    (stringOf(unit.node, "approximate", "none") === "tanh" ? byTanh : byErf).lower!(unit, c),
  lowerInteger: (unit, c) =>
    (stringOf(unit.node, "approximate", "none") === "tanh" ? byTanh : byErf).lowerInteger!(unit, c),
});
