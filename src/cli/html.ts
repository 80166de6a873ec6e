// Text within HTML and SVG: what a file names itself is never markup, and control characters are escapes.

import { visible } from "../visible";

const ENTITIES: Readonly<Record<string, string>> = {
  "&": "&amp;",
  "<": "&lt;",
  ">": "&gt;",
  '"': "&quot;",
  "'": "&#39;",
};

export const escapeHtml = (text: string): string =>
  text
    .split("\n")
    .map((line) => visible(line).replaceAll(/[&<>"']/g, (sign) => ENTITIES[sign]!))
    .join("\n");
