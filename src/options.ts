// Names of options: a caller who misspells one is told, in plain JavaScript too, instead of getting the default.

import { OctetteError } from "./errors";

/** Every option of a type, which the compiler holds a list to: `{ seed: 1, bits: 1 } satisfies Names<O>`. */
export type Names<O> = Readonly<Record<keyof O, 1>>;

/** Throws where options are no object, or one of them has no name of the list. */
export function checkOptions(where: string, options: unknown, names: object): void {
  if (typeof options !== "object" || options === null)
    throw new OctetteError("options are named", {
      code: "argument",
      where,
      expected: "an object",
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

/** The known word that a mistyped one probably is: one begins with the other, or a third of its letters differ. */
export function nearest(word: string, known: readonly string[]): string | undefined {
  let best: string | undefined;
  let least = Math.max(1, Math.floor(word.length / 3));
  for (const candidate of known) {
    const [a, b] = [word.toLowerCase(), candidate.toLowerCase()];
    const isPart = a.length > 1 && b.length > 1 && (a.startsWith(b) || b.startsWith(a));
    const d = isPart ? 0 : distance(a, b);
    if (d < least || (d === least && best === undefined)) [best, least] = [candidate, d];
  }
  return best;
}

/** Letters to insert, delete or replace (Levenshtein). */
function distance(a: string, b: string): number {
  let row = Array.from({ length: b.length + 1 }, (_, i) => i);
  for (let i = 1; i <= a.length; i++) {
    const next = [i];
    for (let j = 1; j <= b.length; j++)
      next.push(Math.min(row[j]! + 1, next[j - 1]! + 1, row[j - 1]! + (a[i - 1] === b[j - 1] ? 0 : 1)));
    row = next;
  }
  return row[b.length]!;
}
