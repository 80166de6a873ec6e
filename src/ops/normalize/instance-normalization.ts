import type { Traits } from "../op";
import { normalization } from "./normalization";

/** (x − mean) / √(variance + epsilon) · scale + bias, each channel of each sample on its own. ONNX InstanceNormalization-22. */
export const instanceNormalization = normalization((_, channels) => channels, ["epsilon"]);

export const instanceNormalizationTraits: Traits = {
  codes: "none",
  homogeneous: undefined,
  trained: { weight: 1, bias: 2 },
  equal: (_, [x, scale]) => [[x![1], scale![0]]],
};
