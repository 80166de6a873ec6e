import { attributeWindow, maxPooling } from "./pool";

/** Largest element of every window. ONNX MaxPool-22, without indices. */
export const maxPool = maxPooling(attributeWindow);
