import { unary } from "./unary";

/** −x. ONNX Neg-13. */
export const neg = unary("neg", [], "none");
