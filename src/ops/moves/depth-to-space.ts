// DepthToSpace and SpaceToDepth: blocks of pixels from channels and back. Channel (i·b + j)·c' + c of c'·b² holds pixel (i, j) of the blocks
// of channel c; in mode CRD channel (c·b + i)·b + j does.

import type { Node } from "../../graph/graph";
import { type Dim, divideDims, formatShape, multiplyDims, type Shape } from "../../graph/symbols";
import { emitCopy, type Loop, memoryOrder, memoryStrides, requireSameCodes, walkable } from "../copy";
import {
  inputType,
  type Layout,
  type Lowering,
  numberOf,
  type Op,
  opError,
  stringOf,
  type Traits,
  type Unit,
} from "../op";

const misfit = (node: Node, expected: string, got: string) =>
  opError(node, "its input does not fit", { expected, got });

function blockOf(node: Node, { length }: Shape): number {
  const size = numberOf(node, "blocksize", 0);
  if (!Number.isInteger(size) || size < 1)
    throw opError(node, "attribute blocksize does not fit", {
      expected: "a whole number ≥ 1",
      got: `${size}`,
    });
  if (length !== 4) throw misfit(node, "[n, c, h, w]", `${length} dimensions`);
  return size;
}

/** Whether the channels of a block follow each other. */
function isByChannel(node: Node): boolean {
  const mode = stringOf(node, "mode", "DCR");
  if (mode === "DCR" || mode === "CRD") return mode === "CRD";
  throw opError(node, "mode is unknown", { expected: "DCR, CRD", got: mode });
}

/** The shape with pixels for channels. */
function spread(node: Node, shape: Shape): Dim[] {
  const size = blockOf(node, shape);
  const [n, c, h, w] = shape as [Dim, Dim, Dim, Dim];
  const channels = divideDims(c, size * size);
  if (channels === undefined) throw misfit(node, `a multiple of ${size * size} channels`, `${c}`);
  return [n, channels, multiplyDims(h, size), multiplyDims(w, size)];
}

/** The shape with channels for pixels. */
function folded(node: Node, shape: Shape): Dim[] {
  const size = blockOf(node, shape);
  const [n, c, h, w] = shape as [Dim, Dim, Dim, Dim];
  const [rows, cols] = [divideDims(h, size), divideDims(w, size)];
  if (rows === undefined || cols === undefined)
    throw misfit(node, `height and width that are multiples of ${size}`, formatShape(shape));
  return [n, multiplyDims(c, size * size), rows, cols];
}

type Walk = Readonly<Record<"n" | "c" | "i" | "j" | "h" | "w", readonly [wide: Dim, deep: Dim]>>;

/** Distances between neighbours in the array of pixels and in that of channels. */
function walkOf(node: Node, wide: Shape, deep: Shape, layouts: readonly [wide: Layout, deep: Layout]): Walk {
  const size = blockOf(node, wide);
  const [a, b] = [memoryStrides(wide, layouts[0]), memoryStrides(deep, layouts[1])] as [Dim[], Dim[]];
  const channels = wide[1]!;
  const [c, i, j] = isByChannel(node) ? [size * size, size, 1] : [1, multiplyDims(size, channels), channels];
  const deepStep = (n: Dim) => multiplyDims(b[1]!, n);
  return {
    n: [a[0]!, b[0]!],
    c: [a[1]!, deepStep(c)],
    i: [a[2]!, deepStep(i)],
    j: [a[3]!, deepStep(j)],
    h: [multiplyDims(a[2]!, size), b[2]!],
    w: [multiplyDims(a[3]!, size), b[3]!],
  };
}

/** An op whose loops go, in memory of its output, over these for each axis. */
// @__NO_SIDE_EFFECTS__
function ofBlocks(
  shapeOf: (node: Node, shape: Shape) => Dim[],
  axes: readonly (readonly (keyof Walk)[])[],
  isSpread: boolean,
): Op {
  function lower({ node, inputs: [x = ""], outputs: [y = ""] }: Unit, c: Lowering): void {
    const { dtype, shape } = c.type(x);
    const to = c.type(y).shape;
    const [wide, deep] = isSpread ? [to, shape] : [shape, to];
    const [own, other] = [c.layout(y), c.layout(x)];
    const walk = walkOf(node, wide, deep, isSpread ? [own, other] : [other, own]);
    const size = blockOf(node, shape);
    const extents = { n: deep[0]!, c: wide[1]!, i: size, j: size, h: deep[2]!, w: deep[3]! };
    const loops = memoryOrder(4, own).flatMap((axis): Loop[] =>
      axes[axis]!.map((name) => {
        const [a, b] = walk[name];
        return { extent: extents[name], y: isSpread ? a : b, x: isSpread ? b : a };
      }),
    );
    emitCopy(node, c, dtype, c.output(y), c.input(x), loops);
  }
  return {
    attributes: ["blocksize", "mode"],
    infer(node, inputs) {
      const { dtype, shape } = inputType(node, inputs, 0);
      isByChannel(node);
      return [{ dtype, shape: shapeOf(node, shape) }];
    },
    rows: true,
    layout: (_, [layout]) => ({ inputs: [walkable(layout)], outputs: [walkable(layout)] }),
    lower,
    lowerInteger(unit, c) {
      requireSameCodes(unit);
      lower(unit, c);
    },
  };
}

/** ONNX DepthToSpace-13. */
export const depthToSpace = ofBlocks(spread, [["n"], ["c"], ["h", "i"], ["w", "j"]], true);

/** ONNX SpaceToDepth-13, which has no mode. */
export const spaceToDepth = ofBlocks(folded, [["n"], ["i", "j", "c"], ["h"], ["w"]], false);

const ofTraits: Traits = {
  codes: "moves",
  homogeneous: ({ attributes }) => attributes.blocksize === 1,
  trained: undefined,
};

export { ofTraits as depthToSpaceTraits, ofTraits as spaceToDepthTraits };
