// What readers and writers of models say of operators that octette, or a format, does not have.

import { OctetteError } from "../errors";
import { toldNames } from "../graph/names";

/** Operators that the error names. */
const MAX_MISSING = 32;

/** One error for all operators that octette, or who is named, does not have, each with the places where it stands. */
export function rejectMissing(
  missing: Iterable<readonly [operator: string, place: string]>,
  where: string,
  hint: string,
  who = "octette",
): void {
  const places = new Map<string, string[]>();
  for (const [operator, place] of missing) {
    if (!places.has(operator)) places.set(operator, []);
    places.get(operator)!.push(`"${place}"`);
  }
  if (places.size === 0) return;
  throw new OctetteError(`operators that ${who} does not have`, {
    code: "unsupported",
    where,
    got: [...places]
      .slice(0, MAX_MISSING)
      .map(([operator, names]) => `${operator} ${toldNames(names)}`)
      .join("; "),
    hint,
  });
}
