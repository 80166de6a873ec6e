import { binary, quotient } from "./binary";

/** a / b. ONNX Div-14. */
export const div = binary("div", quotient);
