// Text for a terminal: numbers, tables that fit its width, paragraphs, and a progress bar. A stream that is no terminal gets a line
// every ten per cent.

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

/** A count with three digits: "950", "12.3 k", "4.56 M", "1.20 G". */
export function formatCount(count: number): string {
  if (count < 1000) return `${count}`;
  const at = count < 999_500 ? 0 : count < 999_500_000 ? 1 : 2;
  const value = count / 1000 ** (at + 1);
  return `${value.toFixed(value < 9.995 ? 2 : value < 99.95 ? 1 : 0)} ${"kMG"[at]}`;
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

export interface TableFormat {
  /** Columns of the terminal; cells of the widest text column are cut to fit. */
  readonly width?: number | undefined;
  /** A letter for each column, l (left) or r; default: left where the column's cells start with a letter, else right. */
  readonly align?: string | undefined;
}

const length = (text: string) => [...text].length;
/** A text of at most `width` characters: of a longer one its beginning and its end, which names of layers differ in. */
export function cutMiddle(text: string, width: number): string {
  if (length(text) <= width) return text;
  const letters = [...text];
  const end = Math.floor((width - 1) / 2);
  return `${letters.slice(0, Math.max(0, width - 1 - end)).join("")}…${end > 0 ? letters.slice(-end).join("") : ""}`;
}

const numeric = (cell: string) => /^[-+<]?\s?\d|^[–∞]|^$|^identical$/.test(cell);

/**
 * A text in lines of at most `width`, broken where two spaces part what fits a line, else between words: lines after the first begin
 * with `indent`, those before the last end with `tail`. Words that are longer stay whole, and so do the spaces between words of a line.
 */
export function wrap(text: string, width: number, indent = "", tail = ""): string[] {
  if (length(text) <= width) return [text];
  const parts = [...text.matchAll(/( *)(\S+(?: \S+)*)/g)].flatMap(([, spaces = "", part = ""]) =>
    length(indent + part + tail) <= width
      ? [[spaces, part]]
      : part.split(" ").map((word, i) => [i === 0 ? spaces : " ", word]),
  );
  const lines: string[] = [];
  let line = "";
  for (const [spaces = "", part = ""] of parts) {
    const longer = `${line}${spaces}${part}`;
    if (!line || length(longer + tail) <= width) line = longer;
    else {
      lines.push(line + tail);
      line = indent + part;
    }
  }
  return [...lines, line];
}

/** A paragraph for a terminal: what follows a name, such as "kept    the end of epoch 2", goes on below where it began. */
export function wrapParagraph(text: string, width: number): string[] {
  const name = /^\S+ {2,}/.exec(text)?.[0];
  if (!name) return wrap(text, width, "  ");
  const lines = wrap(text.slice(name.length), width - name.length);
  return lines.map((line, i) => (i === 0 ? name : " ".repeat(name.length)) + line);
}

/** A part of a path that the next one repeats, as PyTorch's exporter writes them: "body/" of "body/body.1". */
const REPEATED = /(?<=^|\/)([^/]+)\/(?=\1\.)/g;

/** A cell of at most `width` characters: names of layers lose what they say twice before anything else. */
const fitted = (text: string, width: number) =>
  length(text) <= width ? text : cutMiddle(text.replace(REPEATED, ""), width);

/** Names and what they are, side by side; what is longer than the width goes on below. */
export function formatPairs(rows: readonly (readonly string[])[], width = Infinity): string[] {
  const left = Math.max(...rows.map(([name = ""]) => name.length));
  const room = width - left - 2;
  return rows.flatMap(([name = "", value = ""]) =>
    wrap(visible(value), room).map((line, i) =>
      `${visible(i === 0 ? name : "").padEnd(left)}  ${cutMiddle(line, room)}`.trimEnd(),
    ),
  );
}

/** Narrower than this a column says nothing. */
const LEAST_WIDTH = 8;

/** Rows under a header, columns aligned and separated by two spaces, a rule below the header. No line break at the end, and control characters of cells as escapes. */
export function formatTable(
  header: readonly string[],
  content: readonly (readonly string[])[],
  { width, align }: TableFormat = {},
): string {
  const rows = content.map((row) => row.map(visible));
  const widths = header.map((h, c) => Math.max(length(h), ...rows.map((row) => length(row[c] ?? ""))));
  const sides = header.map(
    (_, c) => align?.[c] ?? (rows.length > 0 && rows.every((row) => numeric(row[c] ?? "")) ? "r" : "l"),
  );
  const total = () => widths.reduce((sum, w) => sum + w, 2 * (widths.length - 1));
  while (width !== undefined && total() > width) {
    const left = widths.map((w, c) => (sides[c] === "l" ? w : 0));
    const widest = left.indexOf(Math.max(...left));
    if (left[widest]! <= LEAST_WIDTH) break;
    widths[widest] = Math.max(LEAST_WIDTH, widths[widest]! - (total() - width));
  }
  const line = (cells: readonly string[]) =>
    widths
      .map((w, c) => {
        const cell = fitted(cells[c] ?? "", w);
        const pad = " ".repeat(w - length(cell));
        return sides[c] === "r" ? pad + cell : cell + pad;
      })
      .join("  ")
      .trimEnd();
  return [line(header), widths.map((w) => "─".repeat(w)).join("──"), ...rows.map(line)].join("\n");
}

/** The part of Node's WriteStream that is used; anything that writes text will do. */
export interface ProgressStream {
  write(text: string): unknown;
  readonly isTTY?: boolean;
  readonly columns?: number;
}

export interface ProgressBar {
  /** Says how far the work is, and more of it in `detail`. Without a total only the count is shown. */
  update(stage: string, done: number, total?: number, detail?: string): void;
  /** Writes a line of its own. */
  log(text: string): void;
  /** Ends the line; later updates start anew. */
  end(): void;
}

/** Cells of the bar, and of one that leaves room for more numbers. */
const [BAR_CELLS, LEAST_CELLS] = [24, 8];
/** A terminal shows no more than about 15 pictures a second to the eye. */
const REDRAW_MS = 66;
/** Logs get a line at this many per cent. */
const LOG_STEP = 10;

export function createProgress(stream: ProgressStream): ProgressBar {
  return stream.isTTY ? drawn(stream) : logged(stream);
}

const counted = (done: number, total: number | undefined) =>
  total === undefined ? `${done}` : `${done}/${total}`;
const after = (detail: string | undefined) => (detail ? `  ${detail}` : "");

function drawn(stream: ProgressStream): ProgressBar {
  let shown = "";
  let stageShown = "";
  let last = 0;
  const draw = (text: string) => {
    stream.write(`\r${text.slice(0, Math.max(10, (stream.columns || 80) - 1))}\x1b[K`);
    shown = text;
  };
  return {
    update(stage, done, total, detail) {
      const now = Date.now();
      const complete = total !== undefined && done >= total;
      if (stage === stageShown && now - last < REDRAW_MS && !complete) return;
      if (stage !== stageShown && shown) stream.write("\n");
      stageShown = stage;
      last = now;
      const numbers = `${counted(done, total)}${after(detail)}`;
      const room = (stream.columns || 80) - stage.length - numbers.length - 4;
      const cells = Math.max(LEAST_CELLS, Math.min(BAR_CELLS, room));
      const filled = total ? Math.min(cells, Math.floor((done / total) * cells)) : 0;
      const bar = total ? `${"█".repeat(filled)}${"░".repeat(cells - filled)} ` : "";
      draw(`${stage}  ${bar}${numbers}`);
    },
    log(text) {
      stream.write(`${shown ? "\r\x1b[K" : ""}${text}\n`);
      shown = "";
      last = 0;
    },
    end() {
      if (shown) stream.write("\n");
      shown = stageShown = "";
    },
  };
}

function logged(stream: ProgressStream): ProgressBar {
  let stageShown = "";
  let next = 0;
  return {
    update(stage, done, total, detail) {
      if (stage !== stageShown) next = 0;
      stageShown = stage;
      const percent = total ? Math.floor((100 * done) / total) : done;
      if (percent < next) return;
      // Without a total the steps double, so that a long stream does not flood a log.
      next = total ? (Math.floor(percent / LOG_STEP) + 1) * LOG_STEP : Math.max(64, done * 2);
      stream.write(`${stage}  ${counted(done, total)}${total ? ` (${percent} %)` : ""}${after(detail)}\n`);
    },
    log: (text) => void stream.write(`${text}\n`),
    end() {
      stageShown = "";
    },
  };
}
