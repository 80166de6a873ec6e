import type { Traits } from "../op";
import { argExtreme } from "./arg-extreme";

/** Where the largest element along `axis` is, i32. ONNX ArgMax-13. */
export const argMax = argExtreme("argMax");

export const argMaxTraits: Traits = {
  codes: "none",
  homogeneous: undefined,
  trained: undefined,
  gradient: "none",
};
