import { formatShape, type Shape } from "../../graph/symbols";
import { floatType, NONE, type Op, opError, type Traits } from "../op";

/**
 * y[t, c] = Σ_j w[c, j]·x[t + j − (taps − 1), c] + bias[c]: each channel by itself over the tokens of x [1, tokens, channels]. Inputs
 * x, weight [channels, taps], bias [channels] or none, state [taps − 1, channels]: the tokens of runs before.
 */
export const causalConv: Op = {
  inputs: 4,
  infer(node, inputs) {
    const x = floatType(node, inputs, 0);
    const [channels, taps, ...rest] = floatType(node, inputs, 1).shape;
    const fits = (index: number, { shape }: { readonly shape: Shape }, expected: Shape) => {
      if (formatShape(shape) !== formatShape(expected))
        throw opError(node, `input ${index} does not fit`, {
          expected: formatShape(expected),
          got: formatShape(shape),
        });
    };
    if (typeof taps !== "number" || typeof channels !== "number" || taps < 1 || rest.length > 0)
      throw opError(node, "input 1 does not fit", {
        expected: "[channels, taps]",
        got: formatShape(inputs[1]!.shape),
      });
    fits(0, x, [1, x.shape[1] ?? "tokens", channels]);
    if (inputs[2]) fits(2, floatType(node, inputs, 2), [channels]);
    fits(3, floatType(node, inputs, 3), [taps - 1, channels]);
    return [x];
  },
  lower({ inputs, outputs }, c) {
    const [x, w, bias = "", state] = inputs as [string, string, string, string];
    const [channels, taps] = c.type(w).shape as [number, number];
    const tokens = c.type(x).shape[1]!;
    const operands = [c.output(outputs[0]!), c.input(x), c.input(w)] as const;
    const more = [bias === "" ? NONE : c.input(bias), c.input(state)] as const;
    c.emit("causalConv", [...operands, ...more, tokens, channels, taps], channels);
  },
};

export const causalConvTraits: Traits = {
  codes: "none",
  homogeneous: undefined,
  trained: undefined,
  gradient: "none",
  onnx: false,
};
