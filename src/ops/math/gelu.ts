import { extend, type Op, opError, stringOf, type Traits, type Unit } from "../op";
import { unary } from "../unary";

const byErf = unary("gelu");
const byTanh = unary("geluTanh");

const approximations: Readonly<Record<string, Op>> = { none: byErf, tanh: byTanh };

function formOf({ node }: Unit): Op {
  const name = stringOf(node, "approximate", "none");
  if (Object.hasOwn(approximations, name)) return approximations[name]!;
  throw opError(node, "approximate is unknown", { expected: "none or tanh", got: name });
}

/** x · Φ(x), or its approximation by tanh. ONNX Gelu-20; Hendrycks & Gimpel 2016, arXiv:1606.08415. */
export const gelu: Op = extend(byErf, {
  attributes: ["approximate"],
  lower: (unit, c) => formOf(unit).lower!(unit, c),
  lowerInteger: (unit, c) => formOf(unit).lowerInteger!(unit, c),
});

export const geluTraits: Traits = { codes: "table", homogeneous: undefined, trained: undefined };
