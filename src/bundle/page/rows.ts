// Rows of numbers as people paste them: separated by commas, semicolons, tabs or spaces, with or without a header.

export interface PastedRows {
  /** Names of the columns, where the first line has them. */
  readonly names?: readonly string[];
  /** Numbers of each row; a column that holds text, or is named as a label, is left out. */
  readonly rows: readonly (readonly number[])[];
}

const LABEL = /^(labels?|class|target)$/i;
/** Names that features may have, too: a y may be a coordinate. */
const LABEL_OR_FEATURE = /^(labels?|class|target|category|y)$/i;
const DECIMAL_COMMA = /^[+-]?\d*,\d+(e[+-]?\d+)?$/i;

/** The rows of a text. Throws an Error that says what is wrong where there are none of `size` numbers. */
export function readRows(text: string, size: number): PastedRows {
  const lines = text.split(/\r\n?|\n/).filter((line) => line.trim() !== "");
  if (lines.length === 0) throw new Error("There are no numbers yet.");
  const separator = [";", "\t", ","].find((one) => lines[0]!.includes(one)) ?? /\s+/;
  const cells = lines.map((line) =>
    line
      .trim()
      .split(separator)
      .map((cell) => cell.trim().replace(/^"(.*)"$/, "$1")),
  );
  if (cells.every((row) => row.at(-1) === "")) for (const row of cells) row.pop();
  // Between semicolons a number may have a decimal comma; then a point may stand between thousands.
  const hasCommas = separator === ";" && cells.some((row) => row.some((cell) => DECIMAL_COMMA.test(cell)));
  const numberOf = (cell: string) =>
    hasCommas && cell.includes(".") ? Number.NaN : Number(hasCommas ? cell.replace(",", ".") : cell);
  const isNumber = (cell = "") => cell !== "" && Number.isFinite(numberOf(cell));
  const isNames =
    cells[0]!.some((cell) => LABEL.test(cell)) || !cells[0]!.some((cell) => /^[-+\d.,]/.test(cell));
  const header = cells.length > 1 && isNames && cells[1]!.some(isNumber) ? cells.shift() : undefined;
  const [first] = cells;
  // Without a header nothing says that a column is none of the numbers.
  const numbers = [...first!.keys()].filter((column) => !header || isNumber(first![column]));
  const without = (label: RegExp) => numbers.filter((column) => !label.test(header?.[column] ?? ""));
  const kept = [without(LABEL), without(LABEL_OR_FEATURE)];
  const columns = kept.find(({ length }) => length === size);
  if (!columns) throw new Error(`The model takes ${size} numbers, and the first row has ${kept[1]!.length}.`);
  const rows = cells.map((row, i) => {
    const wrong = columns.find((column) => !isNumber(row[column]));
    if (wrong !== undefined)
      throw new Error(`Row ${i + 1}, column ${wrong + 1} is not a number: "${row[wrong] ?? ""}".`);
    return columns.map((column) => numberOf(row[column]!));
  });
  return header ? { names: columns.map((column) => header[column]!), rows } : { rows };
}
