import { countOf, formatShape, multiplyDims } from "../../graph/symbols";
import { floatType, numberOf, type Op, opError, type Traits } from "../op";

/** x / (bias + alpha / size · Σ x²)^beta, the sum over `size` channels around each. ONNX LRN-13. */
export const lRN: Op = {
  attributes: ["alpha", "beta", "bias", "size"],
  infer(node, inputs) {
    const x = floatType(node, inputs, 0);
    if (x.shape.length < 2)
      throw opError(node, "input 0 does not fit", {
        expected: "samples, channels and more",
        got: formatShape(x.shape),
      });
    const size = numberOf(node, "size", 0);
    if (!Number.isSafeInteger(size) || size < 1)
      throw opError(node, "size does not fit", { expected: "a whole number ≥ 1", got: `${size}` });
    const [alpha, bias] = [numberOf(node, "alpha", 1e-4), numberOf(node, "bias", 1)];
    if (!(alpha >= 0 && bias > 0))
      throw opError(node, "what is divided by may be 0", {
        expected: "alpha ≥ 0 and bias > 0",
        got: `${alpha} and ${bias}`,
      });
    return [x];
  },
  rows: (_, [x]) => x!.axis !== 1,
  lower({ node, inputs, outputs }, c) {
    const [samples, channels, ...rest] = c.type(inputs[0]!).shape;
    const size = numberOf(node, "size", 1);
    const window = [(size - 1) >> 1, size >> 1] as const;
    const share = numberOf(node, "alpha", 1e-4) / size;
    const numbers = [share, numberOf(node, "beta", 0.75), numberOf(node, "bias", 1)] as const;
    const places = [c.output(outputs[0]!), c.input(inputs[0]!)] as const;
    const all = multiplyDims(samples!, channels!);
    c.emit("localResponse", [...places, channels!, countOf(rest), ...window, ...numbers], all);
  },
};

export const lRNTraits: Traits = {
  codes: "none",
  homogeneous: undefined,
  trained: undefined,
  gradient: "none",
};
