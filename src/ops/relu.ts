import { unary } from "./unary";

/** max(x, 0). ONNX Relu-14. */
export const relu = unary("clip", [0, Infinity]);
