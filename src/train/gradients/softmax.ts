import type { Rule } from "./rule";

/** From y, over the last axis. */
const fromOutput =
  (op: string): Rule =>
  ({ inputs, outputs }, [dy], b) =>
    b.give(inputs[0]!, b.write(op, [dy!, outputs[0]!])[0]);

/** dx = y·(dy − Σ dy·y) */
export const softmax = fromOutput("SoftmaxGradient");
/** dx = dy − e^y·Σ dy */
export const logSoftmax = fromOutput("LogSoftmaxGradient");
