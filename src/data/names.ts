// Names of classes and the numbers that stand for them.

import { OctetteError } from "../errors";

/** By code units, as Python's sorted does for all but rare letters: on every system the same. */
export const byName = (a: string, b: string): number => (a < b ? -1 : a > b ? 1 : 0);

/** Names as labels. The classes are the names that there are, and `more` of them, in sorted order. */
export function named(names: readonly string[], more: readonly string[] = []) {
  const classes = [...new Set([...names, ...more])].sort(byName);
  return { labels: numbered(names, classes, "labels"), classes };
}

/** The number of each name among classes. Throws an OctetteError "argument" for one that is not among them. */
export function numbered(names: readonly string[], classes: readonly string[], where: string): Int32Array {
  const numbers = new Map(classes.map((name, i) => [name, i]));
  return Int32Array.from(names, (name) => {
    const number = numbers.get(name);
    if (number !== undefined) return number;
    throw new OctetteError("is none of the classes", {
      code: "argument",
      where,
      expected: classes.slice(0, 20).join(", "),
      got: `"${name}"`,
    });
  });
}
