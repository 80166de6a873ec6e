import { unary } from "./unary";

/** Square root, NaN below 0. ONNX Sqrt-13. */
export const sqrt = unary("sqrt", [], "none");
