// Text of comma-separated values (RFC 4180), or of values between semicolons or tabs, as rows of fields. Errors name the line, as a text
// editor counts them.

import { FormatError, OctetteError } from "../errors";

/** A table takes several times its text in memory while it is read. */
export const MAX_CSV_BYTES = 2 ** 28;

export type Separator = "," | ";" | "\t";

export interface CsvRow {
  /** Without surrounding blanks and quotes. */
  readonly fields: readonly string[];
  /** From 0, blank ones counted. */
  readonly line: number;
}

export interface CsvText {
  readonly separator: Separator;
  /** The rows that are not blank, one after the other: all of them at once would take several times their text. Can be read again. */
  rows(): Generator<CsvRow>;
  /** Letters of the text. */
  readonly length: number;
}

/**
 * The rows of a text. What separates fields is what the first row has outside of quotes: tabs, else semicolons, else commas.
 * @throws OctetteError "limit" beyond MAX_CSV_BYTES; FormatError for bytes that are no UTF-8, and quotes that are not closed.
 */
export function readCsvText(source: string | Uint8Array, where: string): CsvText {
  if (source.length > MAX_CSV_BYTES)
    throw new OctetteError("too large", {
      code: "limit",
      where,
      expected: `at most MAX_CSV_BYTES = ${MAX_CSV_BYTES}`,
      got: `${source.length}`,
    });
  const text = typeof source === "string" ? source : decodeUtf8(source, where);
  const [first] = linesOf(text);
  const separator = separatorOf(first?.row ?? "");
  return {
    separator,
    length: text.length,
    *rows() {
      for (const { row, line } of linesOf(text))
        yield { fields: splitRow(row, separator, where, line), line };
    },
  };
}

interface Line {
  readonly row: string;
  readonly line: number;
}

const LF = 10;
const CR = 13;

function* linesOf(text: string): Generator<Line> {
  let line = 0;
  for (let at = text.startsWith("\ufeff") ? 1 : 0; at <= text.length; line++) {
    let end = at;
    let code = text.charCodeAt(end);
    while (end < text.length && code !== LF && code !== CR) code = text.charCodeAt(++end);
    const row = text.slice(at, end);
    if (row.trim() !== "") yield { row, line };
    at = end + (code === CR && text.charCodeAt(end + 1) === LF ? 2 : 1);
  }
}

function decodeUtf8(bytes: Uint8Array, where: string): string {
  try {
    return new TextDecoder("utf-8", { fatal: true }).decode(bytes);
  } catch {
    throw new FormatError("not UTF-8 text", { where });
  }
}

function separatorOf(row: string): Separator {
  const bare = row.replaceAll(/"[^"]*"/g, "");
  return bare.includes("\t") ? "\t" : bare.includes(";") ? ";" : ",";
}

/** Fields of a row; a quoted field may hold separators and doubled quotes, not line ends. */
function splitRow(row: string, separator: Separator, where: string, line: number): string[] {
  if (!row.includes('"')) return row.split(separator).map((field) => field.trim());
  const fields: string[] = [];
  let field = "";
  let quoted = false;
  for (let i = 0; i < row.length; i++) {
    const char = row[i]!;
    if (char === '"' && quoted && row[i + 1] === '"') field += row[i++];
    else if (char === '"') quoted = !quoted;
    else if (char === separator && !quoted) {
      fields.push(field.trim());
      field = "";
    } else field += char;
  }
  if (quoted) throw new FormatError("a quote is not closed", { where: `${where}, line ${line + 1}` });
  return [...fields, field.trim()];
}
