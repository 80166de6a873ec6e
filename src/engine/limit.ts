// A model that would take more memory than it may is refused before any is allocated, with what would fit.

import { byteSize } from "../bytes";
import { OctetteError } from "../errors";
import { type Bindings, evaluateDim } from "../graph/symbols";
import type { NeedKind, Plan, Planner } from "./plan";

/** Bytes of wasm memory that a model may take where nobody says otherwise: 1 GiB. */
export const DEFAULT_MAX_BYTES = 2 ** 30;

/** Bytes of wasm memory that a model may take. */
export const allowed = (maxBytes: number | string | undefined): number =>
  maxBytes === undefined ? DEFAULT_MAX_BYTES : byteSize(maxBytes, "maxBytes");

/**
 * Throws where a plan takes more than `maxBytes` together with the `beside` bytes that other graphs of its model have. `planOf`, where
 * there is one, makes plans of smaller sizes.
 */
export function checkLimit(
  plan: Plan,
  maxBytes: number | string | undefined,
  where: string,
  planOf?: Planner,
  beside = 0,
): void {
  const most = allowed(maxBytes);
  const { totalBytes } = plan.memory;
  if (beside + totalBytes <= most) return;
  throw new OctetteError("the model takes more memory than it may", {
    code: "limit",
    where,
    expected: `at most ${most} bytes${maxBytes === undefined ? " (DEFAULT_MAX_BYTES)" : ""}`,
    got: `${beside + totalBytes} bytes${beside ? `, ${beside} of other graphs` : ""}`,
    hint: `${planOf ? wayOut(plan, most - beside, planOf) : "Take a smaller batch"}. maxBytes (--max-bytes) allows more`,
  });
}

/** Throws where a run lacks elements to make an output of, where its sizes differ, or where one is below 0. */
export function checkNeeds(needs: Plan["needs"], bindings: Bindings): void {
  for (const { node, dim, otherwise, elements, kind } of needs) {
    const [count, other] = [dim, otherwise].map((one) => evaluateDim(one, bindings)) as [number, number];
    const isOne = kind === "fit" && (count === 1 || other === 1);
    const isPair = kind === "fit" || kind === "equal";
    const isMet = isPair ? isOne || count === other : kind === "size" ? count >= 0 : count > 0 || other > 0;
    if (isMet || evaluateDim(elements, bindings) === 0) continue;
    throw new OctetteError(MISFITS[kind], {
      code: "argument",
      where: `node "${node}"`,
      expected: isPair
        ? `${dim} = ${otherwise}${kind === "fit" ? ", or one of them 1" : ""}`
        : `at least ${kind === "some" ? 1 : 0} for ${dim}`,
      got: isPair ? `${count} and ${other}` : `${count}`,
    });
  }
}

const MISFITS: Readonly<Record<NeedKind, string>> = {
  some: "its input lacks elements that its output has",
  equal: "sizes differ",
  fit: "sizes do not broadcast",
  size: "a size is below 0",
};

/** Throws where a size is not a whole number of `least` or more. */
export function checkMaxima(maxima: Readonly<Record<string, number>> = {}, least = 1): void {
  for (const [symbol, value] of Object.entries(maxima))
    if (!Number.isInteger(value) || value < least)
      throw new OctetteError("invalid maximum", {
        code: "argument",
        where: `maxima.${symbol}`,
        expected: "a whole number of 1 or more",
        got: `${value}`,
      });
}

/** What `make` gives for the largest batch that memory allows, from `batch` down to one by halves. */
export function fitBatch<T>(batch: number, make: (batch: number) => T): T {
  try {
    return make(batch);
  } catch (error) {
    if (batch === 1 || !isLimit(error)) throw error;
    return fitBatch(batch >> 1, make);
  }
}

/** Whether an error is that of a limit. */
export const isLimit = (error: unknown): boolean => error instanceof OctetteError && error.code === "limit";

/** The largest batch that fits, or the largest of another size, or how much the smallest sizes are beyond the limit. */
function wayOut({ batch, maxima }: Plan, most: number, planOf: Planner): string {
  const bytesFor = (sizes: Bindings) => planOf(sizes).memory.totalBytes;
  for (const symbol of new Set([batch ?? "", ...Object.keys(maxima)])) {
    let [fits, tooMany] = [0, maxima[symbol] ?? 0];
    while (tooMany - fits > 1) {
      const some = (fits + tooMany) >> 1;
      if (bytesFor({ ...maxima, [symbol]: some }) <= most) fits = some;
      else tooMany = some;
    }
    if (fits > 0) return `A ${symbol} of ${fits} fits`;
  }
  const least = bytesFor({});
  return `A batch of 1 takes ${least} bytes, ${least - most} too many`;
}
