import { overLastAxis, softmaxPlain } from "../core/softmax";
import type { Traits } from "../op";

/** x − max − log Σ e^(x − max). ONNX LogSoftmax-13. */
export const logSoftmax = overLastAxis("logSoftmax");

export const logSoftmaxTraits: Traits = {
  codes: "none",
  homogeneous: undefined,
  trained: undefined,
  softmax: true,
};

export const logSoftmaxPlain = softmaxPlain;
