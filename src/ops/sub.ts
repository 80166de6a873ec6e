import { subtractDims } from "../graph/symbols";
import { binary } from "./binary";

/** a − b. ONNX Sub-14. */
export const sub = binary("sub", subtractDims);
