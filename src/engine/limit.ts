// A model that would take more memory than it may is refused before any is allocated, with what would fit.

import { OctetteError } from "../errors";
import { type Bindings, evaluateDim } from "../graph/symbols";
import type { Plan } from "./plan";

/** Throws where a plan takes more than `maxBytes`; `planOf` makes the plan of a smaller batch. */
export function checkLimit(
  plan: Plan,
  maxBytes: number,
  where: string,
  planOf: (maxima: Readonly<Record<string, number>>) => Plan,
): void {
  const { totalBytes } = plan.memory;
  if (totalBytes <= maxBytes) return;
  throw new OctetteError("the model takes more memory than it may", {
    code: "limit",
    where,
    expected: `at most ${maxBytes} bytes`,
    got: `${totalBytes} bytes`,
    hint: wayOut(plan, maxBytes, (maxima) => planOf(maxima).memory.totalBytes),
  });
}

/** Throws where a run has no elements to make an output of. */
export function checkNeeds({ needs }: Plan, bindings: Bindings): void {
  for (const { node, dim, elements } of needs)
    if (evaluateDim(dim, bindings) === 0 && evaluateDim(elements, bindings) > 0)
      throw new OctetteError("its output has elements and its input has none", {
        code: "argument",
        where: `node "${node}"`,
        expected: `at least 1 for ${dim}`,
        got: "0",
      });
}

/** The largest batch that fits, or how much a batch of 1 is beyond the limit. */
function wayOut(
  { batch, maxima, memory }: Plan,
  maxBytes: number,
  bytesOf: (maxima: Readonly<Record<string, number>>) => number,
): string {
  const most = batch === undefined ? 1 : maxima[batch]!;
  const bytesFor = (rows: number) =>
    batch === undefined || rows === most ? memory.totalBytes : bytesOf({ ...maxima, [batch]: rows });
  let [fits, tooMany] = [0, most];
  while (tooMany - fits > 1) {
    const rows = (fits + tooMany) >> 1;
    if (bytesFor(rows) <= maxBytes) fits = rows;
    else tooMany = rows;
  }
  if (fits > 0) return `A batch of ${fits} fits, as the maximum of "${batch}"`;
  return `A batch of 1 takes ${bytesFor(1)} bytes, ${bytesFor(1) - maxBytes} too many`;
}
