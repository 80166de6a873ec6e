import { broadcastLayout, broadcastTypes } from "../broadcast";
import { lowerAlias } from "../core/reshape";
import { ANY_NUMBER, type Op, type Traits } from "../op";
import { checkType, emitAll, emitBroadcast, scalar } from "./pairwise";

/** The mean of its inputs, broadcast: their sum from the first on, divided by how many they are. ONNX Mean-13. */
export const mean: Op = {
  inputs: ANY_NUMBER,
  infer(node, inputs) {
    const type = broadcastTypes(node, inputs, inputs.length || 1);
    checkType(node, type.dtype, ["f32"]);
    return [type];
  },
  rows: true,
  layout: broadcastLayout,
  lower(unit, c) {
    const { node, inputs, outputs } = unit;
    if (inputs.length === 1) return lowerAlias(unit, c);
    const sum = emitAll(unit, c, "broadcastAdd");
    const count = scalar(c, "f32", inputs.length);
    emitBroadcast(node, c, "broadcastDiv", "f32", sum, [sum, count], c.layout(outputs[0]!));
  },
};

export const meanTraits: Traits = { codes: "none", homogeneous: undefined, trained: undefined };
