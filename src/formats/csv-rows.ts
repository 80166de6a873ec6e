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

/** What Excel writes before a table, to say what separates its fields. */
const SEPARATOR_LINE = /^\ufeff?"?sep=([,;\t])"?\r?\n/i;

/**
 * The rows of a text. What separates fields is what a first line `sep=;` says, or else what the first row has outside of quotes: tabs, else
 * semicolons, else commas. Rows at the end whose fields are all empty are blank.
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
  const [{ length: start } = "", told] = SEPARATOR_LINE.exec(text.slice(0, 16)) ?? [];
  const [first] = linesOf(text, start, ",;\t");
  const separator = (told as Separator | undefined) ?? separatorOf(first?.row ?? "");
  return {
    separator,
    length: text.length,
    *rows() {
      let blank: CsvRow[] = [];
      for (const { row, line } of linesOf(text, start, separator)) {
        const one = { fields: splitRow(row, separator, where, line), line };
        if (one.fields.every((field) => field === "")) blank.push(one);
        else {
          yield* blank;
          blank = [];
          yield one;
        }
      }
    },
  };
}

interface Line {
  readonly row: string;
  readonly line: number;
}

const LF = 10;
const CR = 13;

const QUOTE = 34;

/** The rows that are not blank, from `start` on. A quoted field may hold line ends. */
function* linesOf(text: string, start: number, separators: string): Generator<Line> {
  let line = start > 0 ? 1 : 0;
  for (let at = start === 0 && text.startsWith("\ufeff") ? 1 : start; at <= text.length; line++) {
    let end = at;
    let isPlain = true;
    for (; end < text.length; end++) {
      const code = text.charCodeAt(end);
      if (code === LF || code === CR) break;
      isPlain &&= code !== QUOTE;
    }
    if (!isPlain) end = endOfQuoted(text, at, separators);
    const row = text.slice(at, end);
    if (row.trim() !== "") yield { row, line };
    if (!isPlain) line += row.match(/\r\n?|\n/g)?.length ?? 0;
    at = end + (text.charCodeAt(end) === CR && text.charCodeAt(end + 1) === LF ? 2 : 1);
  }
}

/** Where a row with quotes ends. */
function endOfQuoted(text: string, at: number, separators: string): number {
  let [isStart, isQuoted] = [true, false];
  for (; at < text.length; at++) {
    const char = text[at]!;
    if (char === '"' && isQuoted) {
      if (text[at + 1] === '"') at++;
      else isQuoted = false;
    } else if (isQuoted) continue;
    else if (char === "\n" || char === "\r") return at;
    else {
      isQuoted = isStart && char === '"';
      isStart = separators.includes(char) || (isStart && char === " ");
    }
  }
  return at;
}

function decodeUtf8(bytes: Uint8Array, where: string): string {
  try {
    return new TextDecoder("utf-8", { fatal: true }).decode(bytes);
  } catch {
    throw new FormatError("not UTF-8 text", { where, hint: 'In Excel, save it as "CSV UTF-8"' });
  }
}

function separatorOf(row: string): Separator {
  const bare = row.replaceAll(/"[^"]*"/g, "");
  return bare.includes("\t") ? "\t" : bare.includes(";") ? ";" : ",";
}

/** Fields of a row. A quote at the beginning of a field opens one that may hold separators, line ends and doubled quotes. */
function splitRow(row: string, separator: Separator, where: string, line: number): string[] {
  if (!row.includes('"')) return row.split(separator).map((field) => field.trim());
  const fields: string[] = [];
  let field = "";
  let quoted = false;
  for (let i = 0; i < row.length; i++) {
    const char = row[i]!;
    if (char === '"' && quoted && row[i + 1] === '"') field += row[i++];
    else if (char === '"' && quoted) quoted = false;
    else if (char === '"' && field.trim() === "") [quoted, field] = [true, ""];
    else if (char === separator && !quoted) {
      fields.push(field.trim());
      field = "";
    } else field += char;
  }
  if (quoted) throw new FormatError("a quote is not closed", { where: `${where}, line ${line + 1}` });
  return [...fields, field.trim()];
}
