// Col2Im: columns of blocks added up to the images that they were taken of.

import { Columns } from "../../../assembly/sampling/sizes";
import type { Node } from "../../graph/graph";
import { type Dim, divideDims, formatShape, multiplyDims } from "../../graph/symbols";
import { floatType, numbersOf, type Op, opError, type Traits } from "../op";

/** Axes of an image. */
const MOST_AXES = 3;

/** Sizes of image and block, and how blocks move, an axis each. */
function formOf(node: Node) {
  const image = numbersOf(node, "image_shape", []);
  const block = numbersOf(node, "block_shape", []);
  const rank = image.length;
  const each = (value: number) => image.map(() => value);
  const dilations = numbersOf(node, "dilations", each(1));
  const strides = numbersOf(node, "strides", each(1));
  const pads = numbersOf(node, "pads", [...each(0), ...each(0)]);
  const fits = [block, dilations, strides].every(({ length }) => length === rank) && pads.length === 2 * rank;
  if (rank < 1 || rank > MOST_AXES || !fits)
    throw opError(node, "its lists do not fit", {
      expected: `one to ${MOST_AXES} axes: as many in image_shape, block_shape, dilations and strides, twice as many pads`,
      got: `[${[image, block, dilations, strides, pads].join("], [")}]`,
    });
  const positive = [image, block, dilations, strides].every((list) => list.every((n) => n > 0));
  const columns = image.map((size, i) => {
    const reach = dilations[i]! * (block[i]! - 1) + 1;
    return Math.floor((size + pads[i]! + pads[i + rank]! - reach) / strides[i]!) + 1;
  });
  if (!positive || pads.some((n) => n < 0) || columns.some((n) => n < 1))
    throw opError(node, "its blocks do not fit into the image", {
      expected: "sizes ≥ 1, pads ≥ 0, and a block at least",
      got: `columns [${columns}]`,
    });
  return { image, block, dilations, strides, pads: pads.slice(0, rank), columns };
}

const product = (list: readonly number[]) => list.reduce((a, b) => a * b, 1);

/** x [n, c · taps, columns]. ONNX Col2Im-18, of one to three axes. */
export const col2Im: Op = {
  inputs: 3,
  attributes: ["dilations", "pads", "strides"],
  parameters: { 1: "image_shape", 2: "block_shape" },
  infer(node, inputs) {
    const { shape } = floatType(node, inputs, 0);
    const { image, block, columns } = formOf(node);
    const channels = shape.length === 3 ? divideDims(shape[1]!, product(block)) : undefined;
    if (channels === undefined || shape[2] !== product(columns))
      throw opError(node, "columns do not fit", {
        expected: `[n, a multiple of ${product(block)}, ${product(columns)}]`,
        got: formatShape(shape),
      });
    return [{ dtype: "f32", shape: [shape[0]!, channels, ...image] }];
  },
  rows: (_, [x], [y]) => x!.axis === 0 && y!.axis === 0,
  lower({ node, inputs: [x = ""], outputs: [y = ""] }, c) {
    const form = formOf(node);
    const three = (list: readonly number[], otherwise: number) => [
      ...Array.from({ length: MOST_AXES - list.length }, () => otherwise),
      ...list,
    ];
    const [imageD, imageH, imageW] = three(form.image, 1);
    const [blockD, blockH, blockW] = three(form.block, 1);
    const [dilationD, dilationH, dilationW] = three(form.dilations, 1);
    const [padD, padH, padW] = three(form.pads, 0);
    const [strideD, strideH, strideW] = three(form.strides, 1);
    const [columnsD, columnsH, columnsW] = three(form.columns, 1);
    const fields = {
      ...{ imageD, imageH, imageW, blockD, blockH, blockW, dilationD, dilationH, dilationW },
      ...{ padD, padH, padW, strideD, strideH, strideW, columnsD, columnsH, columnsW },
    };
    const words = Int32Array.from(Object.values(Object.assign(new Columns(), fields)));
    const [n, channels] = c.type(y).shape as [Dim, Dim];
    c.emit("col2im", [c.output(y), c.input(x), c.data(words)], multiplyDims(n, channels));
  },
};

export const col2ImTraits: Traits = {
  codes: "none",
  homogeneous: undefined,
  trained: undefined,
  gradient: "none",
};
