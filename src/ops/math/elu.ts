import type { Traits } from "../op";
import { unary } from "../unary";

/** x for x ≥ 0, alpha · (e^x − 1) below. ONNX Elu-22; Clevert et al. 2015, arXiv:1511.07289. */
export const elu = unary("elu", [["alpha", 1]]);

export const eluTraits: Traits = { codes: "table", homogeneous: undefined, trained: undefined };
