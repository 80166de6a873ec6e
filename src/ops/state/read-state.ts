import { countOf } from "../../graph/symbols";
import { emitCopy } from "../copy";
import { inputType, type Op, type Traits } from "../op";

/** What a state holds at this step, which may change after it: a copy. Octette's own. */
export const readState: Op = {
  infer: (node, inputs) => [inputType(node, inputs, 0)],
  lower({ node, inputs, outputs }, c) {
    const [state, y] = [inputs[0]!, outputs[0]!];
    const { dtype, shape } = c.type(state);
    emitCopy(node, c, dtype, c.output(y), c.input(state), [{ extent: countOf(shape), y: 1, x: 1 }]);
  },
};

export const readStateTraits: Traits = {
  codes: "none",
  homogeneous: undefined,
  trained: undefined,
  gradient: "none",
  onnx: false,
};
