import { multiplyDims } from "../graph/symbols";
import { binary } from "./binary";

/** a · b. ONNX Mul-14. */
export const mul = binary("mul", multiplyDims);
