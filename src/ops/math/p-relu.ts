import { formatShape } from "../../graph/symbols";
import { mayEqual } from "../equal";
import { extend, inputType, opError, type Traits } from "../op";
import { NUMBERS, pairwise } from "./pairwise";

const rule = pairwise({ kernel: "pRelu", dtypes: NUMBERS });

/** x where x ≥ 0, else slope · x, the slopes broadcast to x. ONNX PRelu-16; He et al. 2015, arXiv:1502.01852. */
export const pRelu = extend(rule, {
  infer(node, inputs) {
    const [x, slope] = [inputType(node, inputs, 0), inputType(node, inputs, 1)];
    const over = x.shape.length - slope.shape.length;
    // Where symbols do not tell, a plan asks for numbers.
    if (over < 0 || !slope.shape.every((dim, i) => dim === 1 || mayEqual(dim, x.shape[over + i]!)))
      throw opError(node, "the slopes do not broadcast to the input", {
        expected: `dimensions of ${formatShape(x.shape)}, or 1`,
        got: formatShape(slope.shape),
      });
    return rule.infer(node, inputs);
  },
});

export const pReluTraits: Traits = { codes: "none", homogeneous: () => true, trained: { weight: 1 } };
