// AffineGrid: the places, for GridSample, where an affine map puts the pixels of an image of size `size`.

import type { Node } from "../../graph/graph";
import { countOf, type Dim, formatShape, multiplyDims } from "../../graph/symbols";
import { dimsOf, missing } from "../axes";
import { floatType, numberOf, type Op, opError, type Traits } from "../op";

/** [n, c, h, w] or [n, c, d, h, w]. */
function sizeOfGrid(node: Node): readonly Dim[] {
  const size = dimsOf(node, "size");
  if (!size) throw missing(node, "size");
  if (size.length === 4 || size.length === 5) return size;
  throw opError(node, "size does not fit", {
    expected: "[n, c, h, w] or [n, c, d, h, w]",
    got: formatShape(size),
  });
}

/** A single pixel with align_corners is at 0, as PyTorch has it. theta [n, rank, rank + 1]. ONNX AffineGrid-20. */
export const affineGrid: Op = {
  inputs: 2,
  attributes: ["align_corners"],
  parameters: { 1: "size" },
  infer(node, inputs) {
    const theta = floatType(node, inputs, 0);
    const [n, , ...spatial] = sizeOfGrid(node);
    const rank = spatial.length;
    const expected = [n!, rank, rank + 1];
    if (formatShape(theta.shape) !== formatShape(expected))
      throw opError(node, "theta does not fit", {
        expected: formatShape(expected),
        got: formatShape(theta.shape),
      });
    return [{ dtype: "f32", shape: [n!, ...spatial, rank] }];
  },
  rows: (_, [theta], [y]) => theta!.axis === 0 && y!.axis === 0,
  lower({ node, inputs: [theta = ""], outputs: [y = ""] }, c) {
    const [n, , ...spatial] = sizeOfGrid(node);
    const [height, width] = spatial.slice(-2) as [Dim, Dim];
    const rank = spatial.length;
    const sizes = [rank, rank === 3 ? spatial[0]! : 1, height, width] as const;
    const aligned = numberOf(node, "align_corners", 0) === 0 ? 0 : 1;
    c.emit(
      "affineGrid",
      [c.output(y), c.input(theta), ...sizes, aligned],
      multiplyDims(n!, countOf(spatial)),
    );
  },
};

export const affineGridTraits: Traits = {
  codes: "none",
  homogeneous: undefined,
  trained: undefined,
  gradient: "none",
};
