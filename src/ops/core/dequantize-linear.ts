import { countOf } from "../../graph/symbols";
import { perTensor } from "../codes";
import { asInput } from "../layout";
import { inputType, type Op, type Traits } from "../op";

/** (x − zp) · s, one scale a tensor. ONNX DequantizeLinear-21. */
export const dequantizeLinear: Op = {
  inputs: 3,
  attributes: ["axis", "block_size"],
  infer: (node, inputs) => [{ dtype: "f32", shape: inputType(node, inputs, 0).shape }],
  /** Computed scales are read in the order of the codes' elements: rows are aligned where they are outermost. */
  rows: (_, [x, ...scales]) => scales.every(({ axis }) => axis < 0 || (axis === 0 && x!.axis === 0)),
  layout: asInput,
  lowerInteger(unit, c) {
    const [x, y] = [unit.inputs[0]!, unit.outputs[0]!];
    const { scale, zeroPoint } = perTensor(unit.integer?.inputs[0], unit.node);
    c.emit("dequantize", [c.output(y), c.input(x), scale[0]!, zeroPoint[0]!], countOf(c.type(x).shape));
  },
};

export const dequantizeLinearTraits: Traits = { codes: "reads", homogeneous: undefined, trained: undefined };
