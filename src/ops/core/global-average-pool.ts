import type { Traits } from "../op";
import { averagePooling, globalWindow, inWindows } from "../pool";

/** Mean of every channel's image. ONNX GlobalAveragePool-22. */
export const globalAveragePool = averagePooling(globalWindow);

export const globalAveragePoolTraits: Traits = {
  codes: "mean",
  images: true,
  homogeneous: inWindows,
  trained: undefined,
};
