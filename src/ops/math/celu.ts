import { extend, numberOf, type Op, opError, type Traits } from "../op";
import { unary } from "../unary";

const of = unary("celu", [["alpha", 1]]);

/** x where x > 0, else alpha · (e^(x / alpha) − 1). ONNX Celu-12; Barron 2017, arXiv:1704.07483. */
export const celu: Op = extend(of, {
  infer(node, inputs) {
    const alpha = numberOf(node, "alpha", 1);
    if (alpha > 0) return of.infer(node, inputs);
    throw opError(node, "alpha does not fit", { expected: "above 0", got: `${alpha}` });
  },
});

export const celuTraits: Traits = { codes: "table", homogeneous: undefined, trained: undefined };
