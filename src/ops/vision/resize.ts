// Resize by whole factors to the nearest element: every element repeated. Other ratios and interpolation have no kernel.

import type { Node } from "../../graph/graph";
import { type Dim, multiplyDims, type Shape } from "../../graph/symbols";
import { axesOf } from "../axes";
import { emitCopy, memoryOrder, memoryStrides, requireSameCodes, walkable } from "../copy";
import {
  inputType,
  type Lowering,
  numbersOf,
  type Op,
  opError,
  stringOf,
  type Traits,
  type Unit,
} from "../op";

/** Where an element of the output lies among those of the input. */
type Coordinate = (i: number, factor: number) => number;

const coordinates: Readonly<Record<string, Coordinate>> = {
  asymmetric: (i, factor) => i / factor,
  half_pixel: (i, factor) => (i + 0.5) / factor - 0.5,
  half_pixel_symmetric: (i, factor) => (i + 0.5) / factor - 0.5,
  pytorch_half_pixel: (i, factor) => (i + 0.5) / factor - 0.5,
};

/** Which element is nearest to a place between two. */
type Rounding = (at: number) => number;

const roundings: Readonly<Record<string, Rounding>> = {
  round_prefer_floor: (at) => Math.ceil(at - 0.5),
  round_prefer_ceil: (at) => Math.floor(at + 0.5),
  floor: Math.floor,
  ceil: Math.ceil,
};

/** How often every axis is repeated. */
export function factorsOf(node: Node, shape: Shape): number[] {
  const axes = axesOf(node, shape.length) ?? shape.map((_, axis) => axis);
  // Only crops use the region of interest, and no coordinate here crops.
  numbersOf(node, "roi", []);
  const scales = numbersOf(node, "scales", []);
  const sizes = numbersOf(node, "sizes", []);
  const [coordinate, rounding] = [
    stringOf(node, "coordinate_transformation_mode", "half_pixel"),
    stringOf(node, "nearest_mode", "round_prefer_floor"),
  ];
  if (!Object.hasOwn(coordinates, coordinate) || !Object.hasOwn(roundings, rounding))
    throw opError(node, "its way to find an element is unknown", {
      expected: `${Object.keys(coordinates).join(", ")}; ${Object.keys(roundings).join(", ")}`,
      got: `${coordinate}; ${rounding}`,
    });
  const factors = shape.map(() => 1);
  for (const [i, axis] of axes.entries()) {
    const dim = shape[axis]!;
    factors[axis] = scales[i] ?? (typeof dim === "number" ? (sizes[i] ?? dim) / dim : Number.NaN);
  }
  const repeats = factors.every(
    (factor, axis) =>
      factor === 1 || repeatsEach(coordinates[coordinate]!, roundings[rounding]!, factor, shape[axis]!),
  );
  if (repeats) return factors;
  throw opError(node, "only a resize that repeats every element is supported", {
    expected: "whole factors",
    got: factors.join(", "),
  });
}

/** Whether element i of the output is element ⌊i / factor⌋ of the input, as coordinates are rounded. */
function repeatsEach(coordinate: Coordinate, round: Rounding, factor: number, dim: Dim): boolean {
  if (!Number.isInteger(factor) || factor < 1 || typeof dim !== "number") return false;
  const source = (i: number) => Math.min(dim - 1, Math.max(0, round(coordinate(i, factor))));
  // Coordinates and roundings grow with i: what holds for the first and the last element holds between them.
  return [0, factor - 1].every((i) => [0, dim - 1].every((at) => source(at * factor + i) === at));
}

const resized = (node: Node, shape: Shape) =>
  factorsOf(node, shape).map((factor, axis) => multiplyDims(shape[axis]!, factor));

function lower({ node, inputs, outputs }: Unit, c: Lowering): void {
  const [input, output] = [inputs[0]!, outputs[0]!];
  const { dtype, shape } = c.type(input);
  const layout = c.layout(output);
  const factors = factorsOf(node, shape);
  const xStrides = memoryStrides(shape, c.layout(input));
  const yStrides = memoryStrides(resized(node, shape), layout);
  const repeats = factors.map((extent, axis) => ({ extent, y: yStrides[axis]!, x: 0 }));
  const elements = memoryOrder(shape.length, layout).map((axis) => ({
    extent: shape[axis]!,
    y: multiplyDims(yStrides[axis]!, factors[axis]!),
    x: xStrides[axis]!,
  }));
  emitCopy(node, c, dtype, c.output(output), c.input(input), [...repeats, ...elements]);
}

/** ONNX Resize-19. */
export const resize: Op = {
  inputs: 4,
  attributes: ["axes", "coordinate_transformation_mode", "nearest_mode"],
  parameters: { 1: "roi", 2: "scales", 3: "sizes" },
  infer(node, inputs) {
    const x = inputType(node, inputs, 0);
    return [{ dtype: x.dtype, shape: resized(node, x.shape) }];
  },
  rows: true,
  layout: (_, [layout]) => ({ inputs: [walkable(layout)], outputs: [walkable(layout)] }),
  lower,
  lowerInteger(unit, c) {
    requireSameCodes(unit);
    lower(unit, c);
  },
};

export const resizeTraits: Traits = { codes: "moves", homogeneous: undefined, trained: undefined };
