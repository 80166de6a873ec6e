import { countOf, formatShape } from "../../graph/symbols";
import { emitCopy } from "../copy";
import { sameShape } from "../core/reshape";
import { inputType, type Op, opError, type Traits } from "../op";

/** Lets a state, the second input, hold a value, which is the output, too. Octette's own. */
export const writeState: Op = {
  inputs: 2,
  infer(node, inputs) {
    const [x, state] = [inputType(node, inputs, 0), inputType(node, inputs, 1)];
    if (x.dtype !== state.dtype || !sameShape(x.shape, state.shape))
      throw opError(node, "the value does not fit the state", {
        expected: `${state.dtype} ${formatShape(state.shape)}`,
        got: `${x.dtype} ${formatShape(x.shape)}`,
      });
    return [x];
  },
  lower({ node, inputs, outputs }, c) {
    const [x, state] = inputs as [string, string];
    const { dtype, shape } = c.type(state);
    emitCopy(node, c, dtype, c.input(state), c.input(x), [{ extent: countOf(shape), y: 1, x: 1 }]);
    c.alias(outputs[0]!, x);
  },
};

export const writeStateTraits: Traits = {
  codes: "none",
  homogeneous: undefined,
  trained: undefined,
  gradient: "none",
  onnx: false,
};
