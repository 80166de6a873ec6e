// What the parts of a report are put together from: sections, and rows of a name, a bar and a number.

import { escapeHtml } from "./html";

export const section = (heading: string, note: string, body: string) =>
  `<section><h2>${heading}</h2>${note ? `<p>${note}</p>` : ""}${body}</section>`;

/** A row of a name, a bar of `part` (0 to 1) and a number. */
export const bar = (name: string, part: number, value: string, isBad = false) => {
  const percent = Math.max(0, Math.min(100, 100 * part)).toFixed(1);
  // The mark keeps the order of letters in a name whose beginning is cut away.
  return `<span title="${escapeHtml(name)}">&lrm;${escapeHtml(name)}&lrm;</span><div class="bar"><i${isBad ? ' class="bad"' : ""} style="width:${percent}%"></i></div><b>${escapeHtml(value)}</b>`;
};

/** Rows, of which the first are shown and the others on demand. */
export function rows(all: readonly string[], shown = ROWS): string {
  const [first, rest] = [all.slice(0, shown), all.slice(shown)];
  const more =
    rest.length > 0
      ? `<details><summary>${rest.length} more</summary><div class="rows">${rest.join("")}</div></details>`
      : "";
  return `<div class="rows">${first.join("")}</div>${more}`;
}

/** Rows that are shown before others are asked for. */
const ROWS = 16;
