// Sizes of memory and files as people read and write them.

import { OctetteError } from "./errors";

/** 1234567 → "1.2 MB"; decimal units, three digits. */
export function formatBytes(bytes: number): string {
  const units = ["B", "kB", "MB", "GB", "TB"];
  let value = bytes;
  let unit = 0;
  while (value >= 999.5 && unit < units.length - 1) {
    value /= 1000;
    unit++;
  }
  return `${unit === 0 || value >= 99.95 ? Math.round(value) : value.toFixed(1)} ${units[unit]}`;
}

const units: Readonly<Record<string, number>> = {
  "": 1,
  k: 1e3,
  m: 1e6,
  g: 1e9,
  ki: 2 ** 10,
  mi: 2 ** 20,
  gi: 2 ** 30,
};

/** "64MB", "1.5 GiB" or "4096" in bytes; undefined where it is not a size. */
export function parseBytes(text: string): number | undefined {
  const [, number, unit = ""] = /^(\d+(?:\.\d+)?) *([kmg]i?)?b?$/i.exec(text.trim()) ?? [];
  return number === undefined ? undefined : Math.floor(Number(number) * units[unit.toLowerCase()]!);
}

/** A size that a caller gave, in bytes or as a text. */
export function byteSize(size: number | string, where: string): number {
  const bytes = typeof size === "string" ? parseBytes(size) : size;
  if (typeof bytes === "number" && bytes >= 0) return bytes;
  throw new OctetteError("invalid size", {
    code: "argument",
    where,
    expected: 'bytes, or a size such as "8MB"',
    got: typeof size === "string" ? JSON.stringify(size) : String(size),
  });
}
