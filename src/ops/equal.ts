// Sizes that have to be equal. Where symbols are in them, a run says whether they are: one in which they are not is refused.

import type { Dim, Shape } from "../graph/symbols";
import type { Lowering } from "./op";

/** Whether sizes are equal, or symbols that a run may find equal. */
export const mayEqual = (a: Dim, b: Dim): boolean =>
  a === b || typeof a === "string" || typeof b === "string";

/** Whether two shapes are the same in some run. */
export const mayBeSame = (a: Shape, b: Shape): boolean =>
  a.length === b.length && a.every((dim, i) => mayEqual(dim, b[i]!));

/** Refuses runs in which two sizes differ. */
export function needEqual(c: Lowering, a: Dim, b: Dim): void {
  if (a !== b) c.needs(a, undefined, b, "equal");
}

/** Refuses runs in which two shapes of as many dimensions differ. */
export function needSame(c: Lowering, a: Shape, b: Shape): void {
  for (const [i, dim] of a.entries()) needEqual(c, dim, b[i]!);
}
