// Ops that choose elements: the gradient goes to those that were chosen.

import { opError } from "../../ops/op";
import type { Rule } from "./rule";

/** Indices are found again where the model has no use for them. */
export const topK: Rule = ({ node, inputs, outputs }, [dy], b) => {
  if (!dy) return;
  const [x] = inputs as [string];
  const indices = outputs[1] || b.write("TopK", [x], node.attributes, 2)[1]!;
  const attributes = { ...node.attributes, shape: b.type(x).shape };
  b.give(x, b.write("TopKGradient", [dy, indices], attributes)[0]);
};

export const negativeLogLikelihoodLoss: Rule = ({ node, inputs }, [dy], b) => {
  const [x, labels, weights = ""] = inputs as [string, string, string?];
  if (weights !== "" && b.wants(weights))
    throw opError(node, "weights of classes have no gradient", {
      expected: "constants that are not trained",
    });
  const attributes = { ...node.attributes, shape: b.type(x).shape };
  const read = weights === "" ? [dy!, labels] : [dy!, labels, weights];
  b.give(x, b.write("NegativeLogLikelihoodLossGradient", read, attributes)[0]);
};
