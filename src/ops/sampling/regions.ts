// RoiAlign and MaxRoiPool: regions of interest of images, each made an image of one size.

import type { Node, ValueType } from "../../graph/graph";
import { countOf, type Dim, formatShape, multiplyDims } from "../../graph/symbols";
import { floatType, inputType, numberOf, numbersOf, type Op, opError, stringOf, type Traits } from "../op";

function sizeOf(node: Node, size: number, what: string): number {
  if (Number.isInteger(size) && size > 0) return size;
  throw opError(node, `${what} does not fit`, { expected: "whole numbers ≥ 1", got: `${size}` });
}

/** x [n, c, h, w] and regions of so many numbers. */
function checkOperands(node: Node, x: ValueType, rois: ValueType, numbers: number): void {
  if (x.shape.length === 4 && rois.shape.length === 2 && rois.shape[1] === numbers) return;
  throw opError(node, "images or regions do not fit", {
    expected: `[n, c, h, w] and [regions, ${numbers}]`,
    got: `${formatShape(x.shape)} and ${formatShape(rois.shape)}`,
  });
}

const coordinates = ["half_pixel", "output_half_pixel"];
const reductions = ["avg", "max"];

function chosen(node: Node, attribute: string, known: readonly string[]): string {
  const name = stringOf(node, attribute, known[0]!);
  if (known.includes(name)) return name;
  throw opError(node, `${attribute} is unknown`, { expected: known.join(", "), got: name });
}

const alignedSize = (node: Node) =>
  ["output_height", "output_width"].map((name) => sizeOf(node, numberOf(node, name, 1), name)) as [
    number,
    number,
  ];

/** Regions are rows of their own, where all of them are of the same images. */
const regionRows: NonNullable<Op["rows"]> = (_, [x, ...regions], [y]) =>
  x!.axis < 0 && [...regions, y!].every(({ axis }) => axis === 0);

/** x, rois [regions, 4], the image of each. ONNX RoiAlign-22. */
export const roiAlign: Op = {
  inputs: 3,
  attributes: [
    "coordinate_transformation_mode",
    "mode",
    "output_height",
    "output_width",
    "sampling_ratio",
    "spatial_scale",
  ],
  infer(node, inputs) {
    const [x, rois, images] = [
      floatType(node, inputs, 0),
      floatType(node, inputs, 1),
      inputType(node, inputs, 2),
    ];
    checkOperands(node, x, rois, 4);
    const [regions] = rois.shape as [Dim];
    if (images.dtype !== "i32" || formatShape(images.shape) !== formatShape([regions]))
      throw opError(node, "input 2 does not fit", {
        expected: `i32 ${formatShape([regions])}`,
        got: `${images.dtype} ${formatShape(images.shape)}`,
      });
    chosen(node, "coordinate_transformation_mode", coordinates);
    chosen(node, "mode", reductions);
    return [{ dtype: "f32", shape: [regions, x.shape[1]!, ...alignedSize(node)] }];
  },
  rows: regionRows,
  lower({ node, inputs: [x = "", rois = "", images = ""], outputs: [y = ""] }, c) {
    const { shape } = c.type(x);
    const [height, width] = alignedSize(node);
    const ratio = numberOf(node, "sampling_ratio", 0);
    if (!Number.isInteger(ratio) || ratio < 0)
      throw opError(node, "sampling_ratio does not fit", { expected: "a whole number ≥ 0", got: `${ratio}` });
    const shift = chosen(node, "coordinate_transformation_mode", coordinates) === "half_pixel" ? 0.5 : 0;
    const isMax = chosen(node, "mode", reductions) === "max" ? 1 : 0;
    const places = [c.output(y), c.input(x), c.input(rois), c.input(images)] as const;
    c.needs(countOf([shape[0]!, ...shape.slice(2)]), y);
    const [n, channels, h, w] = shape as [Dim, Dim, Dim, Dim];
    const how = [height, width, ratio, numberOf(node, "spatial_scale", 1), shift, isMax] as const;
    const rows = multiplyDims(c.type(rois).shape[0]!, height);
    c.emit("roiAlign", [...places, n, channels, h, w, ...how], rows);
  },
};

const pooledSize = (node: Node) => {
  const size = numbersOf(node, "pooled_shape", []);
  if (size.length !== 2)
    throw opError(node, "pooled_shape does not fit", { expected: "height and width", got: `[${size}]` });
  return size.map((side) => sizeOf(node, side, "pooled_shape")) as [number, number];
};

/** x, rois [regions, 5]: the image and a box. ONNX MaxRoiPool-22. */
export const maxRoiPool: Op = {
  inputs: 2,
  attributes: ["pooled_shape", "spatial_scale"],
  infer(node, inputs) {
    const [x, rois] = [floatType(node, inputs, 0), floatType(node, inputs, 1)];
    checkOperands(node, x, rois, 5);
    return [{ dtype: "f32", shape: [rois.shape[0]!, x.shape[1]!, ...pooledSize(node)] }];
  },
  rows: regionRows,
  lower({ node, inputs: [x = "", rois = ""], outputs: [y = ""] }, c) {
    const { shape } = c.type(x);
    const [n, channels, h, w] = shape as [Dim, Dim, Dim, Dim];
    c.needs(countOf([n, h, w]), y);
    const places = [c.output(y), c.input(x), c.input(rois)] as const;
    const how = [...pooledSize(node), numberOf(node, "spatial_scale", 1)] as const;
    const planes = multiplyDims(c.type(rois).shape[0]!, channels);
    c.emit("maxRoiPool", [...places, n, channels, h, w, ...how], planes);
  },
};

const traits = { codes: "none", homogeneous: undefined, trained: undefined, gradient: "none" } as const;

export const roiAlignTraits: Traits = traits;
export const maxRoiPoolTraits: Traits = traits;
