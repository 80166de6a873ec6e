// What people read: numbers, tables and progress.

import { describe, expect, test } from "vitest";
import {
  createProgress,
  formatBytes,
  formatDb,
  formatMicroseconds,
  formatP,
  formatPercent,
  formatTable,
} from "../../src/report";

test("numbers", () => {
  expect([0, 999, 1000, 73_734, 999_999, 1.5e9].map(formatBytes)).toEqual([
    "0 B",
    "999 B",
    "1.0 kB",
    "73.7 kB",
    "1.0 MB",
    "1.5 GB",
  ]);
  expect([0.25, 99, 450, 1500, 123_456, 2e6].map(formatMicroseconds)).toEqual([
    "0.3 µs",
    "99.0 µs",
    "450 µs",
    "1.50 ms",
    "123 ms",
    "2.0 s",
  ]);
  expect([formatPercent(98.8), formatPercent(undefined), formatPercent(100, 0)]).toEqual([
    "98.80 %",
    "–",
    "100 %",
  ]);
  expect([formatDb(31.25), formatDb(Number.POSITIVE_INFINITY)]).toEqual(["31.3 dB", "identical"]);
  expect([formatP(1), formatP(0.04138), formatP(2.5e-7), formatP(0)]).toEqual([
    "1.000",
    "0.041",
    "2.5e-7",
    "< 1e-300",
  ]);
});

describe("formatTable", () => {
  test("text to the left, numbers to the right", () => {
    expect(
      formatTable(
        ["model", "size"],
        [
          ["float", "73.7 kB"],
          ["octette int8", "9 kB"],
        ],
      ),
    ).toBe(
      [
        "model            size",
        "─────────────────────",
        "float         73.7 kB",
        "octette int8     9 kB",
      ].join("\n"),
    );
  });

  test("the widest text is cut to the width there is", () => {
    const lines = formatTable(["name", "op", "n"], [["/blocks/blocks.0/body/Conv", "Conv", "12"]], {
      width: 24,
    }).split("\n");
    expect(Math.max(...lines.map((l) => l.length))).toBeLessThanOrEqual(24);
    expect(lines[2]).toBe("/blocks/block…  Conv  12");
  });

  test("no rows", () => expect(formatTable(["a"], [])).toBe("a\n─"));
});

describe("createProgress", () => {
  const record = (isTTY: boolean) => {
    const written: string[] = [];
    return { written, progress: createProgress({ isTTY, columns: 60, write: (t) => written.push(t) }) };
  };

  test("about ten lines where nobody watches", () => {
    const { written, progress } = record(false);
    for (let i = 0; i <= 1000; i++) progress.update("calibrate", i, 1000);
    progress.end();
    expect(written).toHaveLength(11);
    expect(written[0]).toBe("calibrate  0/1000 (0 %)\n");
    expect(written.at(-1)).toBe("calibrate  1000/1000 (100 %)\n");
  });

  test("ever longer steps where the end is unknown", () => {
    const { written, progress } = record(false);
    for (let i = 1; i <= 100_000; i++) progress.update("run", i);
    expect(written.length).toBeLessThan(15);
  });

  test("one line that is drawn over on a terminal", () => {
    const { written, progress } = record(true);
    for (let i = 0; i <= 100; i++) progress.update("calibrate", i, 100);
    progress.end();
    const text = written.join("");
    expect(text.split("\n")).toHaveLength(2);
    expect(text).toContain("\r");
    expect(text).toContain("100/100");
    for (const line of written) expect(line.replace("\x1b[K", "").length).toBeLessThanOrEqual(61);
  });
});
