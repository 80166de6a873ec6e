// The way back of grids and of what is sampled at them.

import type { Dim } from "../../graph/symbols";
import { tensor } from "../../graph/tensor";
import type { Target, Way } from "./target";
import { writeSame } from "./ways";
import { dataTypes } from "./write-proto";

/** Modes have other names since opset 20. */
export const gridSample: Way = (node, target) => {
  const { mode } = node.attributes;
  const named = typeof mode === "string" ? { mode: mode.replace(/^bi/, "") } : {};
  writeSame(node, target, { attributes: named });
};

/**
 * With align_corners, a single pixel is at 0, as PyTorch has it, and at an end in ONNX Runtime. A grid that may have one is written without:
 * its places of n pixels reach to ±(1 − 1/n), so that the map is n/(n − 1) times as wide along such an axis.
 */
export const affineGrid: Way = (node, target) => {
  const { size, align_corners = 0 } = node.attributes;
  const counts = (size as readonly Dim[]).slice(2).reverse();
  if (Number(align_corners) === 0 || counts.every((n) => typeof n === "number" && n > 1))
    return writeSame(node, target);
  const [theta = ""] = node.inputs;
  const wider = target.add("Mul", [target.operand(theta), widths(counts, target)]);
  const inputs = [target.define(wider, target.type(theta)), ...node.inputs.slice(1)];
  writeSame({ ...node, inputs }, target, { attributes: { align_corners: undefined } });
};

/** n / (n − 1) of each of some counts, 1 of a count of 1, and 1 beside them. */
function widths(counts: readonly Dim[], target: Target): string {
  const isKnown = counts.every((n) => typeof n === "number");
  if (isKnown)
    return target.hold(
      "widths",
      tensor("f32", [counts.length + 1], [...counts.map((n) => n / Math.max(n - 1, 1)), 1]),
    );
  const all = target.add("Cast", [target.sizes.dims(counts)], { attributes: { to: dataTypes.f32 } });
  const less = target.add("Max", [target.add("Sub", [all, target.number(1)]), target.number(1)]);
  return target.add("Concat", [target.add("Div", [all, less]), target.number(1, [1])], {
    attributes: { axis: 0 },
  });
}
