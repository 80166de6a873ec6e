import { unary } from "./unary";

/** Error function. ONNX Erf-13. */
export const erf = unary("erf", [], "none");
