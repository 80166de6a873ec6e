import { unary } from "./unary";

/** e^x. ONNX Exp-13. */
export const exp = unary("exp", [], "none");
