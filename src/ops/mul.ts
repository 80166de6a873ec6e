import { multiplyDims } from "../graph/symbols";
import { binary } from "./binary";
import type { Traits } from "./op";

/** a · b. ONNX Mul-14. */
export const mul = binary("mul", multiplyDims);

export const mulTraits: Traits = { codes: "none", homogeneous: undefined, trained: undefined };
