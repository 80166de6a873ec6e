// Tables as text: numbers in columns, one of which may be labels, whole numbers or names, and one the group that a row belongs to.
// Errors name the line and the column, as a text editor counts them.

import { FormatError } from "../errors";
import type { Tensor } from "../graph/tensor";
import { type Columns, chooseColumns, findColumn, findLabelHeader } from "./csv-columns";
import { Labels, numberText } from "./csv-labels";
import { type CsvRow, type CsvText, readCsvText } from "./csv-rows";

export interface Table {
  /** f32 [rows, columns], without the columns of labels and groups. */
  readonly features: Tensor;
  /** i32 [rows], or f32 where they are not all whole. */
  readonly labels?: Tensor;
  /** The names that labels were, in sorted order: label 0 is the first. */
  readonly classes?: readonly string[];
  /** Names of the feature columns, when the table has a header line. */
  readonly columns?: readonly string[];
  /** Rows from which on something new begins: another group, or what follows a row that was left out. Ascending, 0 is not among them. */
  readonly breaks: readonly number[];
  /** Rows that were left out, and fields that were filled, because a value was missing. */
  readonly dropped: number;
  readonly filled: number;
}

/** What to do about fields without a value. */
export type Missing = "refuse" | "mean" | "drop";

export interface CsvOptions {
  /** The column of labels: its name in the header line, or its number from 0; a negative number counts from the end. */
  readonly labelColumn?: string | number | undefined;
  /** The column of groups, named likewise. */
  readonly groupColumn?: string | number | undefined;
  /** The columns of features in this order: names, in which * stands for anything, or numbers from 0. Default: all others. */
  readonly columns?: readonly string[] | string | undefined;
  /** Fields without a value are refused (default), filled by the mean of their column, or their rows are dropped. */
  readonly missing?: Missing | undefined;
  /** Whether the first line names the columns; default: as it looks. */
  readonly header?: boolean | undefined;
  /** The file's name for errors. */
  readonly where?: string;
}

/** What stands in tables where there is no value. */
const absent = /^(|na|n\/a|#n\/a|nan|null|none|\?)$/i;
/** As a label it may be a class: of gestures or words, that which is none of the others. */
const isClass = (name: string) => /^none$/i.test(name);

type Kind = "number" | "absent" | "text";

/** The shape of a table, by its first two lines. */
export interface Outline extends Columns {
  readonly text: CsvText;
  /** Of the fields of its first row of values. */
  readonly kinds: readonly Kind[];
}

/** A field as a number is written: with a decimal comma where semicolons separate fields. */
const plain = (field: string, { separator }: CsvText) =>
  separator === ";" ? field.replace(",", ".") : field;

const kindOf = (field: string): Kind =>
  absent.test(field) ? "absent" : numberText.test(field) ? "number" : "text";

/**
 * Looks at a table. The first line is a header when it holds a field that is not a number; if it holds numbers too, they have to look like
 * column numbers (whole and all different), or the field is taken for a mistake. Where the second line has text at the same places
 * and the first none that means labels, the first line is one of values.
 */
export function outlineOf(source: string | Uint8Array, where: string, asked?: boolean): Outline {
  const text = readCsvText(source, where);
  const rows = text.rows();
  const [first, second] = [rows.next().value, rows.next().value].map(
    (row) => (row as CsvRow | undefined)?.fields,
  );
  const kinds = (fields: readonly string[] = []) => fields.map((field) => kindOf(plain(field, text)));
  const width = first?.length ?? 0;
  const isHeader = asked ?? (first !== undefined && looksLikeHeader(first, second && kinds(second), text));
  return {
    text,
    width,
    ...(isHeader && first ? { header: first } : {}),
    kinds: kinds(isHeader ? second : first),
  };
}

function looksLikeHeader(
  first: readonly string[],
  second: readonly Kind[] | undefined,
  text: CsvText,
): boolean {
  const fields = first.map((field) => plain(field, text));
  const numbers = fields.filter((field) => numberText.test(field));
  const isNames =
    numbers.length < fields.length &&
    new Set(numbers).size === numbers.length &&
    numbers.every((field) => /^\d+$/.test(field));
  if (!isNames || !second) return isNames;
  const isSameKind = fields.every((field, i) => kindOf(field) !== "text" || second[i] === "text");
  return !isSameKind || findLabelHeader(fields) >= 0;
}

/**
 * Reads a table. Blank lines are skipped. Labels are numbers, or names, which become numbers in sorted order.
 * @throws FormatError with line and column for rows of unequal length, fields that f32 cannot hold or that have no value, and labels that
 * are neither all numbers nor all names; OctetteError "argument" for a column the table does not have.
 */
export function readCsv(source: string | Uint8Array | Outline, options: CsvOptions = {}): Table {
  const { where = "csv", missing = "refuse" } = options;
  const outline =
    typeof source === "string" || source instanceof Uint8Array
      ? outlineOf(source, where, options.header)
      : source;
  const { text, width, header } = outline;
  const fail = (what: string, line: number, column: number | undefined, facts: Facts): never => {
    const name = column === undefined ? undefined : header?.[column];
    const place =
      column === undefined ? "" : `, column ${column + 1}${name === undefined ? "" : ` ("${name}")`}`;
    throw new FormatError(what, { where: `${where}, line ${line + 1}${place}`, ...facts });
  };
  const label = findColumn(options.labelColumn, outline, "label", where);
  const group = findColumn(options.groupColumn, outline, "group", where);
  const chosen = chooseColumns(options.columns, outline, [label, group], where);

  let most = header ? -1 : 0;
  for (const _ of text.rows()) most++;
  // A field takes a digit and a separator or line end, so a table that is larger than this has a row too short.
  const values = new Float32Array(Math.min(Math.max(0, most) * chosen.length, (text.length + 1) >> 1));
  const labels = new Labels(label === undefined ? 0 : Math.max(0, most));
  const holes: number[] = [];
  const breaks: number[] = [];
  let [at, row, dropped] = [0, 0, 0];
  let [isFirst, isBroken] = [header !== undefined, false];
  let groupBefore: string | undefined;
  // Whether numbers have a decimal comma: where some do and some do not, a point may stand between thousands.
  const marks = new Set<boolean>();
  for (const { fields, line } of text.rows()) {
    if (isFirst) {
      isFirst = false;
      continue;
    }
    if (fields.length !== width)
      fail("a row of another length", line, undefined, {
        expected: `${width} fields`,
        got: `${fields.length}`,
      });
    const start = at;
    let isDropped = false;
    for (const column of chosen) {
      const written = fields[column]!;
      const field = plain(written, text);
      const value = numberText.test(field) ? Number(field) : Number.NaN;
      if (Number.isFinite(Math.fround(value))) {
        values[at++] = value;
        if (text.separator !== ";" || !/[.,]/.test(written)) continue;
        marks.add(written.includes(","));
        if (marks.size > 1)
          fail("numbers with a decimal comma and with a decimal point", line, column, {
            got: quote(written),
            hint: "Write all alike: beside 0,5 the number 1.234 may be 1234",
          });
      } else if (!absent.test(field)) {
        const hint = numberText.test(written.replace(",", ".")) ? SEPARATE : CHOOSE;
        fail("not a number that f32 holds", line, column, { got: quote(written), hint });
      } else if (missing === "refuse")
        fail("a value is missing", line, column, { got: quote(field), hint: FILL });
      else {
        if (missing === "mean") holes.push(at);
        else isDropped = true;
        values[at++] = Number.NaN;
      }
    }
    const name = label === undefined ? "" : fields[label]!;
    if (label !== undefined && absent.test(name) && !isClass(name)) {
      if (missing === "drop") isDropped = true;
      else
        fail("a label is missing", line, label, {
          got: quote(name),
          hint: "missing: drop (--missing drop) leaves the row out",
        });
    }
    if (isDropped) {
      at = start;
      dropped++;
      isBroken = true;
      continue;
    }
    if (label !== undefined) {
      const number = plain(name, text);
      const wrong = labels.add(numberText.test(number) ? number : name, row, line);
      if (wrong)
        fail("not a label", line, label, {
          expected: "a number that f32 holds, or a name",
          got: quote(name),
        });
    }
    const own = group === undefined ? undefined : fields[group]!;
    if (row > 0 && (isBroken || own !== groupBefore)) breaks.push(row);
    groupBefore = own;
    isBroken = false;
    row++;
  }
  fillHoles(values, holes, chosen, row, (column) =>
    fail("a column without a value", 0, column, { expected: "one number, for the mean" }),
  );
  const found =
    label === undefined
      ? {}
      : labels.table(row, (line, name) =>
          fail("not a label", line, label, {
            expected: "numbers alone, or names alone",
            got: quote(name),
          }),
        );
  return {
    features: { dtype: "f32", shape: [row, chosen.length], data: values.subarray(0, at) },
    ...found,
    ...(header === undefined ? {} : { columns: chosen.map((column) => header[column]!) }),
    breaks,
    dropped,
    filled: holes.length,
  };
}

type Facts = { expected?: string; got?: string; hint?: string };

const CHOOSE =
  "Columns that are no numbers are left out by columns (--columns) or named by labels (--labels)";
const SEPARATE = "A decimal comma is read where semicolons separate the fields";
const FILL = "missing (--missing) fills by the mean, or drops the row";

const quote = (field: string): string => (field === "" ? "an empty field" : `"${field.slice(0, 40)}"`);

/** Fields without a value become the mean of their column, summed in the order of the rows. */
function fillHoles(
  values: Float32Array,
  holes: readonly number[],
  chosen: readonly number[],
  rows: number,
  empty: (column: number) => never,
): void {
  const columns = chosen.length;
  const means = new Map<number, number>();
  for (const hole of holes) {
    const column = hole % columns;
    if (means.has(column)) continue;
    let [sum, count] = [0, 0];
    for (let row = 0; row < rows; row++) {
      const value = values[row * columns + column]!;
      if (Number.isNaN(value)) continue;
      sum += value;
      count++;
    }
    means.set(column, count > 0 ? sum / count : empty(chosen[column]!));
  }
  for (const hole of holes) values[hole] = means.get(hole % columns)!;
}
