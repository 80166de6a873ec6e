// Elementwise ops with two inputs, broadcast as numpy does.

import { type Dim, divideDims, formatShape, truncDims } from "../graph/symbols";
import { broadcastLayout, broadcastTypes, evaluateBinary, walkOf } from "./broadcast";
import { type Op, opError } from "./op";

type Kernel = "add" | "sub" | "mul" | "div";

/** An op that is y = f(a, b). */
// @__NO_SIDE_EFFECTS__
export function binary(kernel: Kernel): Op {
  return {
    inputs: 2,
    infer: (node, inputs) => [broadcastTypes(node, inputs, 2)],
    rows: true,
    layout: broadcastLayout,
    fusesClamp: "always",
    lower(unit, c) {
      const [a, b] = unit.inputs as [string, string];
      const y = unit.outputs[0]!;
      const type = c.type(y);
      if (type.dtype !== "f32") throw opError(unit.node, "only f32 has kernels", { got: type.dtype });
      const { lo = -Infinity, hi = Infinity } = unit.clamp ?? {};
      const [p, q] = [c.type(a).shape, c.type(b).shape];
      const walk = walkOf(unit.node, type.shape, p, q, c.layout(y), true);
      const [d0, d1, d2] = walk.extents;
      const over = formatShape(p) === formatShape(type.shape) ? a : undefined;
      const [atA, atB] = [c.input(a), c.input(b)];
      c.emit(kernel, [c.output(y, over), atA, atB, d1, d2, ...walk.a, ...walk.b, lo, hi], d0);
    },
  };
}

/** What it is of known values; `exact` computes it on dimensions, for the shape arithmetic of exporters. */
// @__NO_SIDE_EFFECTS__
export const ofKnown =
  (kernel: Kernel, exact: (a: Dim, b: Dim) => Dim | undefined): NonNullable<Op["evaluate"]> =>
  (node, inputs) => {
    const isFloat = inputs[0]?.dtype === "f32";
    return evaluateBinary(node, inputs, (a, b) =>
      isFloat ? inFloat[kernel](a as number, b as number) : exact(a, b),
    );
  };

const inFloat = {
  add: (a: number, b: number) => Math.fround(a + b),
  sub: (a: number, b: number) => Math.fround(a - b),
  mul: (a: number, b: number) => Math.fround(a * b),
  div: (a: number, b: number) => Math.fround(a / b),
};

/** Integer division of dimensions, towards zero; by symbols where it is exact. */
export const quotient = (a: Dim, b: Dim): Dim | undefined =>
  b !== 0 && typeof b === "number" ? truncDims(a, b) : divideDims(a, b);
