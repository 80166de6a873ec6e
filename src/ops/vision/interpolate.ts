// Interpolate: Resize of modes linear and cubic, a weighted mean of neighbours along each axis.

import { axesOf } from "../axes";
import { walkable } from "../copy";
import { heldAs } from "../moves/indices";
import { floatType, numberOf, numbersOf, type Op, type Traits } from "../op";
import { fillOutside, passesOf } from "./resize-passes";
import { isStill, resizedAxes, resizedShape } from "./resized-axes";

/** ONNX Resize-19 of other modes than nearest. */
export const interpolate: Op = {
  inputs: 4,
  attributes: [
    "antialias",
    "axes",
    "coordinate_transformation_mode",
    "cubic_coeff_a",
    "exclude_outside",
    "extrapolation_value",
    "keep_aspect_ratio_policy",
    "mode",
  ],
  parameters: { 1: "roi", 2: "scales", 3: "sizes" },
  open: [3],
  infer(node, inputs) {
    const { dtype, shape } = floatType(node, inputs, 0);
    return [{ dtype, shape: resizedShape(node, shape) }];
  },
  rows: (node, [x], [y]) => x!.axis === y!.axis && isStill(resizedAxes(node, x!.shape)[x!.axis]!),
  layout: (_, [layout]) => ({ inputs: [walkable(layout)], outputs: [walkable(layout)] }),
  lower(unit, c) {
    const { node, inputs, outputs } = unit;
    const passes = passesOf(node, c, outputs[0]!, inputs[0]!, "interpolate");
    for (const { to, from, windows, axis, outer, inner } of passes) {
      const tables = [c.data(windows.starts), c.data(windows.weights), windows.taps] as const;
      c.emit("interpolate", [to, from, ...tables, axis.from, axis.to, inner], outer);
    }
    fillOutside(unit, c, passes, (value) => heldAs("f32", value));
  },
};

export const interpolateTraits: Traits = {
  codes: "none",
  homogeneous: (node, axis, rank) => {
    const at = axesOf(node, rank)?.indexOf(axis) ?? axis;
    if (numberOf(node, "extrapolation_value", 0) !== 0) return false;
    return at < 0 || numbersOf(node, "scales", [])[at] === 1;
  },
  trained: undefined,
  onnx: false,
};
