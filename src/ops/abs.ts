import { unary } from "./unary";

/** |x|. ONNX Abs-13. */
export const abs = unary("abs", [], "none");
