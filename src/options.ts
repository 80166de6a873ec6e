// Names of options: a caller who misspells one is told, in plain JavaScript too, instead of getting the default.

import { OctetteError } from "./errors";

/** Every option of a type, which the compiler holds a list to: `{ seed: 1, bits: 1 } satisfies Names<O>`. */
export type Names<O> = Readonly<Record<keyof O, 1>>;

/** Throws where options are not an object, or one of them has a name that is not in the list. */
export function checkOptions(where: string, options: unknown, names: object): void {
  if (typeof options !== "object" || options === null)
    throw new OctetteError("options must be an object", {
      code: "argument",
      where,
      got: `${options}`,
    });
  const known = Object.keys(names);
  for (const name of Object.keys(options)) {
    if (known.includes(name)) continue;
    const near = nearest(name, known);
    throw new OctetteError(`no option "${name}"`, {
      code: "argument",
      where,
      expected: known.join(", "),
      ...(near ? { hint: `Did you mean ${near}?` } : {}),
    });
  }
}

/** Least likeness of two words that may be the same, mistyped. */
const LIKE = 0.45;

/** The known word that a mistyped one probably is: the share of neighbouring letters that both have (Dice's coefficient). */
export function nearest(word: string, known: readonly string[]): string | undefined {
  const pairs = (text: string) =>
    [...text.toLowerCase()].map((letter, i, all) => (all[i - 1] ?? "") + letter);
  const own = pairs(word);
  let best: string | undefined;
  let most = LIKE;
  for (const candidate of known) {
    const its = pairs(candidate);
    const alike = (2 * its.filter((pair) => own.includes(pair)).length) / (own.length + its.length);
    if (alike > most) [best, most] = [candidate, alike];
  }
  return best;
}
