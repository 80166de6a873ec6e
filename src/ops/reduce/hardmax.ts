import { countOf, multiplyDims } from "../../graph/symbols";
import { softmaxAxis } from "../core/softmax";
import { floatType, type Op, type Traits } from "../op";

/** 1 at the first of the largest elements along `axis`, else 0. ONNX Hardmax-13. */
export const hardmax: Op = {
  attributes: ["axis"],
  infer(node, inputs) {
    const x = floatType(node, inputs, 0);
    softmaxAxis(node, x.shape.length);
    return [x];
  },
  rows: (node, [x]) => x!.axis !== softmaxAxis(node, x!.shape.length),
  lower({ node, inputs, outputs }, c) {
    const { shape } = c.type(inputs[0]!);
    const axis = softmaxAxis(node, shape.length);
    const [n, inner, outer] = [shape[axis]!, countOf(shape.slice(axis + 1)), countOf(shape.slice(0, axis))];
    const places = c.temporary(multiplyDims(multiplyDims(outer, inner), 4));
    c.emit("argMax", [places, c.input(inputs[0]!), n, inner, 0], outer);
    c.emit("oneAt", [c.output(outputs[0]!), places, n, inner], outer);
  },
};

export const hardmaxTraits: Traits = {
  codes: "none",
  homogeneous: undefined,
  trained: undefined,
  gradient: "none",
};
