// Which columns of a table are asked for: by name, by number, or by a name in which * stands for anything.

import { OctetteError } from "../errors";

/** How many columns a table has, and their names. */
export interface Columns {
  readonly width: number;
  readonly header?: readonly string[];
}

/** Headers that mean a column of labels when nobody says which it is, the surest first. */
const LABEL_HEADERS = ["label", "labels", "class", "target", "category", "y"];

/** The place of the header that is one of these names, the first of them that there is; below 0 where there is none. */
export function findHeader(header: readonly string[], names: readonly string[]): number {
  const words = header.map((word) => word.toLowerCase());
  return names.reduce((found, name) => (found < 0 ? words.indexOf(name) : found), -1);
}

/** The place of the header that means labels, below 0 where none does. Of more columns than x and y, y is a coordinate. */
export function findLabelHeader(header: readonly string[]): number {
  const isCoordinate = header.length > 2 && findHeader(header, ["x"]) >= 0;
  return findHeader(header, isCoordinate ? LABEL_HEADERS.slice(0, -1) : LABEL_HEADERS);
}

/**
 * The place of a column that is asked for by name or number. Throws an OctetteError "argument" where there is none, or the name stands over
 * several.
 */
export function findColumn(
  asked: string | number | undefined,
  { width, header }: Columns,
  what: string,
  where: string,
): number | undefined {
  if (asked === undefined) return undefined;
  const at = typeof asked === "string" ? (header?.indexOf(asked) ?? -1) : asked < 0 ? asked + width : asked;
  const isTwice = typeof asked === "string" && at >= 0 && header?.lastIndexOf(asked) !== at;
  if (isTwice)
    throw new OctetteError(`two columns are called "${asked}"`, {
      code: "argument",
      where,
      expected: `one ${what} column`,
      hint: "Rename one of them",
    });
  if (Number.isInteger(at) && at >= 0 && at < width) return at;
  throw new OctetteError(`no such ${what} column`, {
    code: "argument",
    where,
    expected: header
      ? `one of ${header.slice(0, 20).join(", ")}`
      : `a number below ${width}, as there is no header line`,
    got: `${asked}`,
  });
}

/** Places of the columns of features. */
export function chooseColumns(
  asked: readonly string[] | string | undefined,
  { width, header }: Columns,
  taken: readonly (number | undefined)[],
  where: string,
): number[] {
  const all = Array.from({ length: width }, (_, column) => column);
  if (asked === undefined) return all.filter((column) => !taken.includes(column));
  const names = typeof asked === "string" ? asked.split(",").map((name) => name.trim()) : asked;
  const chosen = names.flatMap((name) => {
    const parts = name.split("*").map((part) => part.replace(/[.+?^${}()|[\]\\]/g, "\\$&"));
    const pattern = new RegExp(`^${parts.join(".*")}$`);
    const named = all.filter((column) => header && pattern.test(header[column]!) && !taken.includes(column));
    const found = named.length === 0 && /^\d+$/.test(name) && Number(name) < width ? [Number(name)] : named;
    if (found.length > 0) return found;
    throw new OctetteError(`no column "${name}"`, {
      code: "argument",
      where,
      expected: header
        ? header.slice(0, 20).join(", ")
        : `numbers below ${width}, as there is no header line`,
    });
  });
  const twice = chosen.find((column, i) => chosen.indexOf(column) !== i || taken.includes(column));
  if (twice === undefined) return chosen;
  throw new OctetteError("a column is chosen twice", {
    code: "argument",
    where,
    got: header?.[twice] ?? `${twice}`,
  });
}
