import type { Traits } from "../op";
import { globalWindow, inWindows, maxPooling } from "../pool";

/** Largest element of every channel's image. ONNX GlobalMaxPool-22. */
export const globalMaxPool = maxPooling(globalWindow);

export const globalMaxPoolTraits: Traits = {
  codes: "moves",
  images: true,
  homogeneous: inWindows,
  trained: undefined,
};
