import { globalWindow, maxPooling } from "./pool";

/** Largest element of every channel's image. ONNX GlobalMaxPool-22. */
export const globalMaxPool = maxPooling(globalWindow);
