// Reductions of values that are known before a run: exporters count elements with them.

import type { Dim } from "../../graph/symbols";
import { sizeOf } from "../../graph/tensor";
import { isHeld } from "../broadcast";
import { stridesOf } from "../known";
import type { Op } from "../op";
import { reducedAxes, reducedShape } from "./reduction";

/** Folds known elements one by one, in their order; undefined where `fold` has no answer for two, or `none` for none. */
export const foldKnown =
  (none: Dim | undefined, fold: (a: Dim, b: Dim) => Dim | undefined): NonNullable<Op["evaluate"]> =>
  (node, [x]) => {
    if (!x) return undefined;
    const isFloat = x.dtype === "f32";
    const axes = reducedAxes(node, x.shape.length);
    const shape = reducedShape(node, x.shape) as number[];
    const strides = stridesOf(x.shape);
    const kept = stridesOf(x.shape.map((dim, axis) => (axes.includes(axis) ? 1 : dim)));
    const results = new Array<Dim | undefined>(sizeOf(shape)).fill(undefined);
    for (let i = 0; i < x.data.length; i++) {
      let to = 0;
      for (const [axis, stride] of strides.entries())
        if (!axes.includes(axis)) to += (Math.floor(i / stride) % x.shape[axis]!) * kept[axis]!;
      const [before, value] = [results[to], x.data[i]!];
      const folded = before === undefined ? value : fold(before, value);
      if (folded === undefined) return undefined;
      results[to] = isFloat ? Math.fround(folded as number) : folded;
    }
    const data = results.map((value) => value ?? none);
    if (data.some((value) => value === undefined || (x.dtype === "i32" && !isHeld(value)))) return undefined;
    return [{ dtype: x.dtype, shape, data: data as Dim[] }];
  };
