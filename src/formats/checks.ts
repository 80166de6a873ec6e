// What readers of all formats check, and tell in errors.

export { MAX_RANK } from "../graph/symbols";

/**
 * Number of elements of a shape read from a file, or undefined when a dimension is not a whole number ≥ 0 or the
 * product is not exact in a number (≥ 2^53). A zero among the dimensions does not excuse an absurd other one.
 */
export function countElements(shape: readonly number[]): number | undefined {
  let count = 1;
  let nonZero = 1;
  for (const dim of shape) {
    if (!Number.isSafeInteger(dim) || dim < 0) return undefined;
    count *= dim;
    nonZero *= dim || 1;
    if (nonZero > Number.MAX_SAFE_INTEGER) return undefined;
  }
  return count;
}

/** Elements of a list that a message shows. */
const SHOWN = 8;

/** A value in a few words; what it holds may be nested beyond what JSON.stringify takes. */
export function brief(value: unknown): string {
  const list = Array.isArray(value) ? value : [];
  if (list.length > SHOWN || list.some((item) => typeof item === "object")) return `a list of ${list.length}`;
  if (typeof value === "object" && value && list !== value) return "an object";
  return (JSON.stringify(value) ?? "nothing").slice(0, 120);
}
