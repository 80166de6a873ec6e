// Numbers and tables as people read them in a terminal: plain text that stays aligned without colour and fits the
// width it is given.

import { visible } from "../visible";

export { formatBytes } from "../bytes";

/** A percentage of 0..100 as "98.80 %"; "–" where there is none. */
export const formatPercent = (value: number | undefined, digits = 2): string =>
  value === undefined ? "–" : `${value.toFixed(digits)} %`;

/** Microseconds as "12.3 µs", "1.20 ms" or "3.4 s". */
export function formatMicroseconds(us: number): string {
  if (us < 999.5) return `${us.toFixed(us < 100 ? 1 : 0)} µs`;
  if (us < 999_500) return `${(us / 1e3).toFixed(us < 1e5 ? 2 : 0)} ms`;
  return `${(us / 1e6).toFixed(1)} s`;
}

/** A time to wait as "8 s", "2 min" or "1 h 5 min". */
export function formatDuration(seconds: number): string {
  if (seconds < 99.5) return `${Math.round(seconds)} s`;
  const minutes = Math.round(seconds / 60);
  return minutes < 60 ? `${minutes} min` : `${Math.floor(minutes / 60)} h ${minutes % 60} min`;
}

/** A rate with three digits or all its whole ones: "0.12", "3.46", "34.6", "346", "3456"; "–" where there is none. */
export function formatRate(value: number | undefined): string {
  if (value === undefined) return "–";
  return value.toFixed(value < 9.995 ? 2 : value < 99.95 ? 1 : 0);
}

/** Decibels; "identical" where there is no noise. */
export function formatDb(db: number | undefined): string {
  if (db === undefined) return "–";
  return db === Number.POSITIVE_INFINITY ? "identical" : `${db.toFixed(1)} dB`;
}

/** A probability with two significant digits. */
export const formatP = (p: number | undefined): string =>
  p === undefined ? "–" : p >= 0.001 ? p.toFixed(3) : p === 0 ? "< 1e-300" : p.toExponential(1);

export interface TableOptions {
  /** Columns of the terminal; cells of the widest text column are cut to fit. */
  readonly width?: number;
  /** Alignment by column; default: left where the column's cells start with a letter, else right. */
  readonly align?: readonly ("left" | "right")[];
}

const length = (text: string) => [...text].length;
const cut = (text: string, width: number) =>
  length(text) <= width ? text : `${[...text].slice(0, Math.max(0, width - 1)).join("")}…`;

const numeric = (cell: string) => /^[-+<]?\s?\d|^[–∞]|^$|^identical$/.test(cell);

/** Narrower than this a column says nothing. */
const LEAST_WIDTH = 8;

/** Rows under a header, columns aligned and separated by two spaces, a rule below the header. No line break at the end, and control characters of cells as escapes. */
export function formatTable(
  header: readonly string[],
  content: readonly (readonly string[])[],
  { width, align }: TableOptions = {},
): string {
  const rows = content.map((row) => row.map(visible));
  const widths = header.map((h, c) => Math.max(length(h), ...rows.map((row) => length(row[c] ?? ""))));
  const sides = header.map(
    (_, c) =>
      align?.[c] ?? (rows.length > 0 && rows.every((row) => numeric(row[c] ?? "")) ? "right" : "left"),
  );
  const total = () => widths.reduce((sum, w) => sum + w, 2 * (widths.length - 1));
  while (width !== undefined && total() > width) {
    const left = widths.map((w, c) => (sides[c] === "left" ? w : 0));
    const widest = left.indexOf(Math.max(...left));
    if (left[widest]! <= LEAST_WIDTH) break;
    widths[widest] = Math.max(LEAST_WIDTH, widths[widest]! - (total() - width));
  }
  const line = (cells: readonly string[]) =>
    widths
      .map((w, c) => {
        const cell = cut(cells[c] ?? "", w);
        const pad = " ".repeat(w - length(cell));
        return sides[c] === "right" ? pad + cell : cell + pad;
      })
      .join("  ")
      .trimEnd();
  return [line(header), widths.map((w) => "─".repeat(w)).join("──"), ...rows.map(line)].join("\n");
}
