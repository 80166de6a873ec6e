import { attributeWindow, averagePooling } from "./pool";

/** Mean of every window. ONNX AveragePool-22. */
export const averagePool = averagePooling(attributeWindow);
