import type { Node } from "../../graph/graph";
import { numberOf } from "../op";
import { normalization, normalizationTraits } from "./normalization";

export const groupsOf = (node: Node): number => numberOf(node, "num_groups", 1);

/**
 * (x − mean) / √(variance + epsilon) · scale + bias, statistics of `num_groups` groups of channels of each sample. Scale and bias are one a
 * channel, or one a group. ONNX GroupNormalization-21.
 */
export const groupNormalization = normalization(groupsOf, ["epsilon", "num_groups"]);

export { normalizationTraits as groupNormalizationTraits };
