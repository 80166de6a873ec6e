import { unary } from "./unary";

/** Hyperbolic tangent. ONNX Tanh-13. */
export const tanh = unary("tanh");
