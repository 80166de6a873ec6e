import type { Node } from "../../graph/graph";
import { countOf, formatShape, multiplyDims } from "../../graph/symbols";
import { floatType, inputType, NONE, numberOf, type Op, opError, stringOf, type Traits } from "../op";

/** How losses are made one. */
export function lossReduction(node: Node): "mean" | "sum" | "none" {
  const how = stringOf(node, "reduction", "mean");
  if (how === "mean" || how === "sum" || how === "none") return how;
  throw opError(node, "attribute reduction does not fit", { expected: "mean, sum or none", got: how });
}

/** The label of elements without a loss. Without one it is −1, which names no class either. */
export const ignoredLabel = (node: Node): number => numberOf(node, "ignore_index", -1);

/**
 * −w·x at each label along axis 1, w that of the label in the third input; their sum, or their mean: that sum divided by all w. Labels that
 * are `ignore_index`, or name no class, have no loss and no w. ONNX NegativeLogLikelihoodLoss-22.
 */
export const negativeLogLikelihoodLoss: Op = {
  inputs: 3,
  attributes: ["ignore_index", "reduction"],
  infer(node, inputs) {
    const { shape } = floatType(node, inputs, 0);
    const labels = inputType(node, inputs, 1);
    if (shape.length < 2)
      throw opError(node, "input 0 does not fit", {
        expected: "samples, classes and more",
        got: formatShape(shape),
      });
    const each = [shape[0]!, ...shape.slice(2)];
    if (labels.dtype !== "i32" || formatShape(labels.shape) !== formatShape(each))
      throw opError(node, "labels do not fit", {
        expected: `i32 ${formatShape(each)}`,
        got: `${labels.dtype} ${formatShape(labels.shape)}`,
      });
    const weights = inputs[2] && floatType(node, inputs, 2);
    if (weights && formatShape(weights.shape) !== formatShape([shape[1]!]))
      throw opError(node, "weights do not fit", {
        expected: `one a class, [${shape[1]}]`,
        got: formatShape(weights.shape),
      });
    return [{ dtype: "f32", shape: lossReduction(node) === "none" ? each : [] }];
  },
  rows: (_, [x]) => x!.axis !== 1,
  lower({ node, inputs, outputs }, c) {
    const [x, labels, weights = ""] = inputs as [string, string, string?];
    const [y] = outputs as [string];
    const [samples, classes, ...rest] = c.type(x).shape;
    const [inner, count] = [countOf(rest), countOf(c.type(labels).shape)];
    const how = lossReduction(node);
    const bytes = multiplyDims(count, 4);
    const losses = how === "none" ? c.output(y) : c.temporary(bytes);
    const shares = c.temporary(bytes);
    const read = [c.input(x), c.input(labels), weights === "" ? NONE : c.input(weights)] as const;
    const sizes = [classes!, inner, ignoredLabel(node)] as const;
    c.emit("negativeLogLikelihood", [losses, shares, ...read, ...sizes], samples!);
    if (how === "none") return;
    const total = how === "sum" ? c.output(y) : c.temporary(4);
    c.emit("reduceSum", [total, losses, count, 1], 1);
    if (how === "sum") return;
    const share = c.temporary(4);
    c.emit("reduceSum", [share, shares, count, 1], 1);
    const one = [1, 1, 0, 0, 0, 0, 0, 0] as const;
    c.emit("div", [c.output(y), total, share, ...one, -Infinity, Infinity], 1);
  },
};

export const negativeLogLikelihoodLossTraits: Traits = {
  codes: "none",
  homogeneous: undefined,
  trained: undefined,
};
