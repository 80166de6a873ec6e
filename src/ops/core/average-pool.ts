import { extend, type Traits } from "../op";
import { attributeWindow, averagePooling, inWindows } from "../pool";
import { windowAttributes } from "../window";

/** Mean of every window. ONNX AveragePool-22. */
export const averagePool = extend(averagePooling(attributeWindow), {
  attributes: /* @__PURE__ */ windowAttributes.concat("count_include_pad"),
});

export const averagePoolTraits: Traits = {
  codes: "mean",
  images: true,
  homogeneous: inWindows,
  trained: undefined,
};
