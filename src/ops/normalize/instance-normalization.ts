import { normalization, normalizationTraits } from "./normalization";

/** (x − mean) / √(variance + epsilon) · scale + bias, each channel of each sample on its own. ONNX InstanceNormalization-22. */
export const instanceNormalization = normalization((_, channels) => channels, ["epsilon"]);

export { normalizationTraits as instanceNormalizationTraits };
