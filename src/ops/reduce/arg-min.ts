import type { Traits } from "../op";
import { argExtreme } from "./arg-extreme";

/** Where the least element along `axis` is, i32. ONNX ArgMin-13. */
export const argMin = argExtreme("argMin");

export const argMinTraits: Traits = {
  codes: "none",
  homogeneous: undefined,
  trained: undefined,
  gradient: "none",
};
