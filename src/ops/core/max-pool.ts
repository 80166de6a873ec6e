import { extend, type Traits } from "../op";
import { attributeWindow, inWindows, maxPooling } from "../pool";
import { windowAttributes } from "../window";

/** Largest element of every window. ONNX MaxPool-22, without indices. */
export const maxPool = extend(maxPooling(attributeWindow), { attributes: windowAttributes });

export const maxPoolTraits: Traits = {
  codes: "moves",
  images: true,
  homogeneous: inWindows,
  trained: undefined,
};
