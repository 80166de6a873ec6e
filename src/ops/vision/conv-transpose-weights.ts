// Weights of ONNX's ConvTranspose in the order of ours, so that these lie as those of any layer: outputs first.

import type { Node } from "../../graph/graph";
import { formatShape, type Shape } from "../../graph/symbols";
import { sizeOf } from "../../graph/tensor";
import { emitCopy, requireSameCodes } from "../copy";
import { stridedCopy, stridesOf } from "../known";
import { inputType, type Lowering, numberOf, type Op, opError, type Traits, type Unit } from "../op";

/** Groups, and the dimensions of [c, o/group, kernel…]. */
function partsOf(node: Node, shape: Shape) {
  const [channels, perGroup, ...kernel] = shape as number[];
  const groups = numberOf(node, "group", 1);
  const fits = shape.length > 2 && shape.every((dim) => typeof dim === "number");
  if (fits && Number.isInteger(groups) && groups > 0 && channels! % groups === 0)
    return { groups, channels: channels! / groups, outputs: perGroup!, kernel };
  throw opError(node, "weights do not fit", {
    expected: "[c, o/group, kernel…] of known sizes, c a multiple of group",
    got: `${formatShape(shape)}, group ${groups}`,
  });
}

/** [c, o/group, kernel…] → [o, c/group, kernel…]: each group transposed. */
export const convTransposeWeights: Op = {
  attributes: ["group"],
  infer(node, inputs) {
    const { dtype, shape } = inputType(node, inputs, 0);
    const { groups, channels, outputs, kernel } = partsOf(node, shape);
    return [{ dtype, shape: [groups * outputs, channels, ...kernel] }];
  },
  lower,
  lowerInteger(unit, c) {
    requireSameCodes(unit);
    lower(unit, c);
  },
  evaluate(node, [w]) {
    if (!w) return undefined;
    const { groups, channels, outputs, kernel } = partsOf(node, w.shape);
    const [group, input, output, ...taps] = stridesOf([groups, channels, outputs, ...kernel]);
    const shape = [groups, outputs, channels, ...kernel];
    return [
      {
        ...stridedCopy(w, shape, [group!, output!, input!, ...taps]),
        shape: [groups * outputs, channels, ...kernel],
      },
    ];
  },
};

function lower({ node, inputs, outputs }: Unit, c: Lowering): void {
  const w = c.type(inputs[0]!);
  const { groups, channels, outputs: made, kernel } = partsOf(node, w.shape);
  const taps = sizeOf(kernel);
  emitCopy(node, c, w.dtype, c.output(outputs[0]!), c.input(inputs[0]!), [
    { extent: groups, y: made * channels * taps, x: made * channels * taps },
    { extent: made, y: channels * taps, x: taps },
    { extent: channels, y: taps, x: made * taps },
    { extent: taps, y: 1, x: 1 },
  ]);
}

export const convTransposeWeightsTraits: Traits = {
  codes: "moves",
  homogeneous: undefined,
  trained: undefined,
  gradient: "none",
  onnx: false,
  /** Scales of outputs are those of one group, for each group. */
  turned: (node, axis) => (axis === 1 ? { axis: 0, repeats: numberOf(node, "group", 1) } : undefined),
};
