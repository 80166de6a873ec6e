import { extend } from "./op";
import { attributeWindow, maxPooling } from "./pool";
import { windowAttributes } from "./window";

/** Largest element of every window. ONNX MaxPool-22, without indices. */
export const maxPool = extend(maxPooling(attributeWindow), { attributes: windowAttributes });
