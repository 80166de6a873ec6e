import type { Node } from "../../graph/graph";
import type { Dim } from "../../graph/symbols";
import { dimsOf, missing } from "../axes";
import { floatType, numberOf, type Op, opError, type Traits } from "../op";

/** A dimension that a node carries as a list of one. */
export function dimOf(node: Node, name: string): Dim {
  const [dim] = dimsOf(node, name) ?? [];
  if (dim === undefined) throw missing(node, name);
  return dim;
}

/**
 * Cosines and sines, [1, tokens, n], of (position + t)·f for each token t and each of n inverse frequencies f, times `scale`.
 * `position` and `tokens` are lists of one dimension.
 */
export const rotaryAngles: Op = {
  attributes: ["position", "tokens", "scale"],
  infer(node, inputs) {
    const { shape } = floatType(node, inputs, 0);
    const [n] = shape;
    if (n === undefined || shape.length > 1)
      throw opError(node, "input 0 does not fit", { expected: "[frequencies]", got: `[${shape}]` });
    const angles = { dtype: "f32", shape: [1, dimOf(node, "tokens"), n] } as const;
    dimOf(node, "position");
    return [angles, angles];
  },
  lower({ node, inputs, outputs }, c) {
    const [cos, sin] = outputs as [string, string];
    const places = [c.output(cos), c.output(sin), c.input(inputs[0]!)] as const;
    const scale = numberOf(node, "scale", 1);
    const args = [...places, c.type(inputs[0]!).shape[0]!, dimOf(node, "position"), scale] as const;
    c.emit("rotaryAngles", args, dimOf(node, "tokens"));
  },
};

export const rotaryAnglesTraits: Traits = {
  codes: "none",
  homogeneous: undefined,
  trained: undefined,
  gradient: "none",
  onnx: false,
};
