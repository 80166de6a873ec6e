import { unary } from "./unary";

/** 1 / (1 + e^−x). ONNX Sigmoid-13. */
export const sigmoid = unary("sigmoid");
