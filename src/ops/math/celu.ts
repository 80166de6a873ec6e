import type { Traits } from "../op";
import { unary } from "../unary";

/** x where x > 0, else alpha · (e^(x / alpha) − 1). ONNX Celu-12; Barron 2017, arXiv:1704.07483. */
export const celu = unary("celu", [["alpha", 1]]);

export const celuTraits: Traits = { codes: "table", homogeneous: undefined, trained: undefined };
