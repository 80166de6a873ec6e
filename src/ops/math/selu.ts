import type { Traits } from "../op";
import { unary } from "../unary";

/** gamma · x where x > 0, else gamma · alpha · (e^x − 1). ONNX Selu-22; Klambauer et al. 2017, arXiv:1706.02515. */
export const selu = unary("selu", [
  ["alpha", 1.6732632423543772],
  ["gamma", 1.0507009873554805],
]);

export const seluTraits: Traits = { codes: "table", homogeneous: undefined, trained: undefined };
