import { averagePooling, globalWindow } from "./pool";

/** Mean of every channel's image. ONNX GlobalAveragePool-22. */
export const globalAveragePool = averagePooling(globalWindow);
