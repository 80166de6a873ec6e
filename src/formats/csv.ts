// Numeric tables as comma-separated values (RFC 4180, quotes and either line end included): rows of numbers, one
// column of which may be whole-number labels. Errors name the line and the column, as a text editor counts them.

import { FormatError, OctetteError } from "../errors";
import type { Tensor } from "../graph/tensor";
import { readCsvText } from "./csv-rows";
import { I32_MAX, I32_MIN } from "./elements";

export interface Table {
  /** f32 [rows, columns], without the label column. */
  readonly features: Tensor;
  /** i32 [rows]. */
  readonly labels?: Tensor;
  /** Names of the feature columns, when the table has a header line. */
  readonly columns?: readonly string[];
}

export interface CsvOptions {
  /** The column of labels: its name in the header line, or its number from 0; a negative number counts from the end. */
  readonly labelColumn?: string | number;
  /** The file's name for errors. */
  readonly where?: string;
}

const number = /^[+-]?(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+)?$/;

/**
 * Reads a table. The first line is a header when it holds a field that is not a number; if it holds numbers too, they
 * have to look like column numbers (whole and all different), or the field is taken for a mistake. Blank lines are
 * skipped.
 * @throws FormatError with line and column for rows of unequal length, fields that f32 cannot hold, and labels
 * that are not whole i32; OctetteError "argument" for a label column the table does not have.
 */
export function readCsv(source: string | Uint8Array, options: CsvOptions = {}): Table {
  const { labelColumn, where = "csv" } = options;
  const text = readCsvText(source, where);
  const fail = (what: string, line: number, column: number | undefined, facts: Facts): never => {
    const name = column === undefined ? undefined : header?.[column];
    const place =
      column === undefined ? "" : `, column ${column + 1}${name === undefined ? "" : ` ("${name}")`}`;
    throw new FormatError(what, { where: `${where}, line ${line + 1}${place}`, ...facts });
  };
  let header: readonly string[] | undefined;
  const [firstRow] = text.rows();
  const first = firstRow?.fields ?? [];
  if (isHeader(first)) header = first;
  const width = first.length;
  const label = findLabel(labelColumn, width, header, where);
  const columns = width - (label === undefined ? 0 : 1);
  let rows = header ? -1 : 0;
  for (const _ of text.rows()) rows++;
  // A field takes a digit and a comma or line end, so a table that is larger than this has a row too short.
  const values = new Float32Array(Math.min(rows * columns, (text.length + 1) >> 1));
  const labels = new Int32Array(label === undefined ? 0 : rows);
  let at = 0;
  let row = header ? -1 : 0;
  for (const { fields, line: i } of text.rows()) {
    if (row < 0) {
      row++;
      continue;
    }
    if (fields.length !== width)
      fail("a row of another length", i, undefined, { expected: `${width} fields`, got: `${fields.length}` });
    for (let column = 0; column < width; column++) {
      const field = fields[column]!;
      const value = number.test(field) ? Number(field) : Number.NaN;
      if (!Number.isFinite(Math.fround(value)))
        fail("not a number that f32 holds", i, column, { got: quote(field) });
      if (column !== label) values[at++] = value;
      else if (Number.isInteger(value) && value >= I32_MIN && value <= I32_MAX) labels[row] = value;
      else fail("not a label", i, column, { expected: "a whole number of 32 bits", got: quote(field) });
    }
    row++;
  }
  const names = header?.filter((_, column) => column !== label);
  return {
    features: { dtype: "f32", shape: [rows, columns], data: values },
    ...(label === undefined ? {} : { labels: { dtype: "i32", shape: [rows], data: labels } }),
    ...(names === undefined ? {} : { columns: names }),
  };
}

type Facts = { expected?: string; got?: string };

const quote = (field: string): string => (field === "" ? "an empty field" : `"${field.slice(0, 40)}"`);

function isHeader(fields: readonly string[]): boolean {
  const numbers = fields.filter((field) => number.test(field));
  const wordless = numbers.length === fields.length;
  return (
    !wordless && new Set(numbers).size === numbers.length && numbers.every((field) => /^\d+$/.test(field))
  );
}

function findLabel(
  labelColumn: string | number | undefined,
  width: number,
  header: readonly string[] | undefined,
  where: string,
): number | undefined {
  if (labelColumn === undefined) return undefined;
  const at =
    typeof labelColumn === "string"
      ? (header?.indexOf(labelColumn) ?? -1)
      : labelColumn < 0
        ? labelColumn + width
        : labelColumn;
  if (Number.isInteger(at) && at >= 0 && at < width) return at;
  throw new OctetteError("no such label column", {
    code: "argument",
    where,
    expected: header
      ? `one of ${header.slice(0, 20).join(", ")}`
      : `a number below ${width}, as there is no header line`,
    got: `${labelColumn}`,
  });
}
