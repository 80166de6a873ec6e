import type { Traits } from "../op";
import { isKeptBy, reduction } from "./reduction";

/** The least over axes. Of no elements ∞, or the largest that there is. ONNX ReduceMin-20. */
export const reduceMin = reduction({ f32: "reduceLeast", i32: "reduceLeastInt", byte: "reduceLeastByte" });

export const reduceMinTraits: Traits = {
  codes: "none",
  homogeneous: isKeptBy,
  trained: undefined,
};
