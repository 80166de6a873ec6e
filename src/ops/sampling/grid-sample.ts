// GridSample: an image or volume read at computed places, between −1 and 1 along each axis.

import {
  BORDER,
  CUBIC,
  GRID_SCRATCH,
  LINEAR,
  NEAREST,
  REFLECTION,
  ZEROS,
} from "../../../assembly/sampling/sizes";
import type { Node, ValueType } from "../../graph/graph";
import { countOf, type Dim, formatShape, multiplyDims } from "../../graph/symbols";
import { floatType, numberOf, type Op, opError, stringOf, type Traits } from "../op";

/** Names of modes, those before opset 20 among them. */
const modes: Readonly<Record<string, number>> = {
  nearest: NEAREST,
  linear: LINEAR,
  bilinear: LINEAR,
  cubic: CUBIC,
  bicubic: CUBIC,
};
const paddings: Readonly<Record<string, number>> = { zeros: ZEROS, border: BORDER, reflection: REFLECTION };

function named(
  node: Node,
  attribute: string,
  otherwise: string,
  known: Readonly<Record<string, number>>,
): number {
  const name = stringOf(node, attribute, otherwise);
  if (Object.hasOwn(known, name)) return known[name]!;
  throw opError(node, `${attribute} is unknown`, { expected: Object.keys(known).join(", "), got: name });
}

const formOf = (node: Node) => ({
  mode: named(node, "mode", "linear", modes),
  padding: named(node, "padding_mode", "zeros", paddings),
  aligned: numberOf(node, "align_corners", 0) === 0 ? 0 : 1,
});

/** x [n, c, …spatial], grid [n, …places, rank]. ONNX GridSample-22. */
export const gridSample: Op = {
  inputs: 2,
  attributes: ["align_corners", "mode", "padding_mode"],
  infer(node, inputs) {
    const [x, grid] = [floatType(node, inputs, 0), floatType(node, inputs, 1)];
    const rank = x.shape.length - 2;
    const fits =
      (rank === 2 || rank === 3) &&
      grid.shape.length === x.shape.length &&
      grid.shape[0] === x.shape[0] &&
      grid.shape.at(-1) === rank;
    if (!fits)
      throw opError(node, "grid does not fit", {
        expected: "x [n, c, h, w] and grid [n, outH, outW, 2], or volumes and 3",
        got: `${formatShape(x.shape)} and ${formatShape(grid.shape)}`,
      });
    formOf(node);
    return [{ dtype: "f32", shape: [...x.shape.slice(0, 2), ...grid.shape.slice(1, -1)] }];
  },
  rows: (_, inputs, outputs) => [...inputs, ...outputs].every(({ axis }) => axis === 0),
  lower({ node, inputs: [x = "", grid = ""], outputs: [y = ""] }, c) {
    const { mode, padding, aligned } = formOf(node);
    const sizes = imageOf(c.type(x));
    const places = countOf(c.type(y).shape.slice(2));
    const operands = [c.output(y), c.input(x), c.input(grid), c.scratch(GRID_SCRATCH)] as const;
    c.needs(countOf(c.type(x).shape.slice(2)), y);
    const form = [...sizes, places, mode, padding, aligned] as const;
    c.emit("gridSample", [...operands, ...form], multiplyDims(c.type(x).shape[0]!, places));
  },
};

/** Rank, channels, depth, height, width. */
function imageOf({ shape }: ValueType): readonly [number, Dim, Dim, Dim, Dim] {
  const [, channels, ...spatial] = shape as [Dim, Dim, ...Dim[]];
  const [height, width] = spatial.slice(-2) as [Dim, Dim];
  return [spatial.length, channels, spatial.length === 3 ? spatial[0]! : 1, height, width];
}

export const gridSampleTraits: Traits = {
  codes: "none",
  homogeneous: (_, axis) => axis === 1,
  trained: undefined,
  gradient: "none",
};
