import { countOf } from "../../graph/symbols";
import { inputType, NONE, numberOf, type Op, opError, type Traits } from "../op";
import { blocksOf, middleOf } from "./blocks";

/**
 * Rows of a table [n, k] = (q − zero) · scale, as PackedLinear has its weights, at indices i32 of any shape: [...indices, k]. ONNX
 * Runtime's GatherBlockQuantized.
 */
export const packedGather: Op = {
  inputs: 4,
  attributes: ["bits", "block_size", "k"],
  infer(node, inputs) {
    const k = numberOf(node, "k", 0);
    blocksOf(node, inputs, [0, 2, 3], k);
    const { dtype, shape } = inputType(node, inputs, 1);
    if (dtype !== "i32") throw opError(node, "its indices do not fit", { expected: "i32", got: dtype });
    return [{ dtype: "f32", shape: [...shape, k] }];
  },
  // The batch may be one of indices, not of tables.
  rows: (_, [table]) => table!.axis < 0,
  lower({ node, inputs, outputs }, c) {
    const types = inputs.map((input) => (input === "" ? undefined : c.type(input)));
    const k = numberOf(node, "k", 0);
    const { n, size, bits } = blocksOf(node, types, [0, 2, 3], k);
    const [w, at, scale, zero = ""] = inputs as [string, string, string, string?];
    c.needs(n, outputs[0]!);
    const places = [c.output(outputs[0]!), c.input(w), c.input(scale)] as const;
    const zeros = [zero === "" ? NONE : c.input(zero), middleOf(bits)] as const;
    c.emit("gatherBits", [...places, ...zeros, c.input(at), n, k, size, bits], countOf(c.type(at).shape));
  },
};

export const packedGatherTraits: Traits = {
  codes: "none",
  homogeneous: undefined,
  trained: undefined,
  gradient: "none",
  onnx: false,
};
