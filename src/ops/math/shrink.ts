import type { Traits } from "../op";
import { unary } from "../unary";

/** x + bias where x < −lambd, x − bias where x > lambd, else 0. ONNX Shrink-9. */
export const shrink = unary("shrink", [
  ["lambd", 0.5],
  ["bias", 0],
]);

export const shrinkTraits: Traits = { codes: "table", homogeneous: undefined, trained: undefined };
