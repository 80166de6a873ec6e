// Conv, Gemm, MatMul with weights, and the nodes between floats and codes. Placeholders, to be replaced by the rules.

import { opError } from "../../ops/op";
import type { Rule } from "./rule";

const toBeReplaced: Rule = ({ node }) => {
  throw opError(node, "its gradient is not written yet");
};

export const conv: Rule = toBeReplaced;
export const gemm: Rule = toBeReplaced;
export const matMul: Rule = toBeReplaced;
export const quantizeLinear: Rule = toBeReplaced;
export const dequantizeLinear: Rule = toBeReplaced;
