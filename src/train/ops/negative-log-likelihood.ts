// NegativeLogLikelihoodLossGradient: (dy, labels, weights) → dx of attribute `shape`, by the attributes of the loss.

import { countOf } from "../../graph/symbols";
import { dimsOf, missing } from "../../ops/axes";
import { NONE, type Op } from "../../ops/op";
import { ignoredLabel, lossReduction } from "../../ops/reduce/negative-log-likelihood-loss";

export const negativeLogLikelihoodLossGradient: Op = {
  infer(node) {
    const shape = dimsOf(node, "shape");
    if (!shape) throw missing(node, "shape");
    return [{ dtype: "f32", shape }];
  },
  rows: (node, [dy]) => lossReduction(node) === "none" && dy!.axis === 0,
  lower({ node, inputs, outputs }, c) {
    const [dy, labels, weights = ""] = inputs as [string, string, string?];
    const how = lossReduction(node);
    const [samples, classes, ...rest] = c.type(outputs[0]!).shape;
    const read = [c.input(dy), c.input(labels), weights === "" ? NONE : c.input(weights)] as const;
    const sizes = [classes!, countOf(rest), samples!, ignoredLabel(node)] as const;
    const ways = [how === "none" ? 1 : 0, how === "mean" ? 1 : 0] as const;
    c.emit("negativeLogLikelihoodGradient", [c.output(outputs[0]!), ...read, ...sizes, ...ways], samples!);
  },
};
