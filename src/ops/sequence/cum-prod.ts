import type { Op, Traits } from "../op";
import { running } from "./cum-sum";

/**
 * Products of the elements along an axis up to each of them; with `exclusive` without itself, with `reverse` of those from it on. Products
 * of i32 keep their low 32 bits. ONNX CumProd-26.
 */
export const cumProd: Op = running("cumProd");

export const cumProdTraits: Traits = {
  codes: "none",
  homogeneous: undefined,
  trained: undefined,
};
