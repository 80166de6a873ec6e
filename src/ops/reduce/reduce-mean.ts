import type { Node } from "../../graph/graph";
import { numberOf, type Traits } from "../op";
import type { PlainRule, Rewriting } from "../steps";
import { isKeptBy, reducedAxes, reduction } from "./reduction";

/** Mean over axes; of i32 towards 0. ONNX ReduceMean-18. */
export const reduceMean = reduction({
  f32: "reduceSum",
  finish: "divideSums",
  wide: { fold: "reduceSumWide", finish: "divideSumsWide" },
  needsAny: true,
});

export const reduceMeanTraits: Traits = {
  codes: "none",
  homogeneous: isKeptBy,
  trained: undefined,
};

/**
 * The mean over height and width is GlobalAveragePool, followed by Flatten where the dimensions are not kept: one exporter of
 * PyTorch writes the one, the other the other.
 */
export const reduceMeanPlain: PlainRule = (node, rewrite, types) => {
  const { dtype, shape } = types.get(node.inputs[0]!)!;
  const isOfImages = dtype === "f32" && shape.length === 4;
  if (isOfImages && `${reducedAxes(node, shape.length)}` === "2,3") meanOfImages(node, rewrite);
};

function meanOfImages(node: Node, rewrite: Rewriting): void {
  const pool = { ...node, op: "GlobalAveragePool", attributes: {} };
  if (numberOf(node, "keepdims", 1) !== 0) return rewrite.replace(node, pool);
  const means = rewrite.fresh(`${node.outputs[0]}_map`);
  const name = rewrite.fresh(`${node.name}_flatten`);
  const flatten = { ...node, op: "Flatten", name, inputs: [means], attributes: { axis: 1 } };
  rewrite.replace(node, { ...pool, outputs: [means] }, flatten);
}
