// Sizes that have to be equal. Where symbols are in them, a run says whether they are: one in which they are not is refused.

import { addDims, type Dim, subtractDims } from "../graph/symbols";
import type { Lowering } from "./op";

/** Whether sizes are equal, or symbols that a run may find equal. */
export const mayEqual = (a: Dim, b: Dim): boolean =>
  a === b || typeof a === "string" || typeof b === "string";

/** Refuses runs in which a value has elements though two sizes differ. */
export function needEqual(c: Lowering, a: Dim, b: Dim, value: string): void {
  if (a === b) return;
  c.needs(addDims(subtractDims(a, b), 1), value);
  c.needs(addDims(subtractDims(b, a), 1), value);
}
