// Nodes as passes and training write them, with the attributes that their ops read. Names and outputs are the writer's.

import type { Node } from "../graph/graph";
import { countOf, type Shape } from "../graph/symbols";
import { sameShape } from "./core/reshape";

type Written = Pick<Node, "op" | "inputs" | "attributes">;

/** a + b. */
export const plus = (a: string, b: string): Written => ({ op: "Add", inputs: [a, b], attributes: {} });
/** a − b. */
export const minus = (a: string, b: string): Written => ({ op: "Sub", inputs: [a, b], attributes: {} });
/** a · b. */
export const times = (a: string, b: string): Written => ({ op: "Mul", inputs: [a, b], attributes: {} });

/** x under another name. */
export const same = (x: string): Written => ({ op: "Identity", inputs: [x], attributes: {} });
/** x as floats. */
export const asFloats = (x: string): Written => ({ op: "Cast", inputs: [x], attributes: { to: "f32" } });

/** x between bounds. */
export const clamped = (x: string, { lo, hi }: { readonly lo: number; readonly hi: number }): Written => ({
  op: "Clip",
  inputs: [x],
  attributes: { min: lo, max: hi },
});

/** Whether all dimensions but the first become one. */
export const isFlattening = (from: Shape, to: Shape): boolean =>
  from.length > 2 && sameShape(to, [from[0]!, countOf(from.slice(1))]);

/** x under another shape. */
export const reshaped = (x: string, from: Shape, to: Shape): Written =>
  isFlattening(from, to)
    ? { op: "Flatten", inputs: [x], attributes: { axis: 1 } }
    : {
        op: "Reshape",
        inputs: [x],
        attributes: {
          shape: to,
          ...(to.some((dim) => dim === 0 || typeof dim === "string") ? { allowzero: 1 } : {}),
        },
      };
