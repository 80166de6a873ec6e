// What people read: numbers, tables and progress.

import { describe, expect, test } from "vitest";
import {
  createProgress,
  formatBytes,
  formatDb,
  formatDuration,
  formatMicroseconds,
  formatP,
  formatPairs,
  formatPercent,
  formatTable,
  wrap,
  wrapParagraph,
} from "../../src/cli/terminal";

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
  expect([0.2, 99, 100, 3599, 3900, 90_000].map(formatDuration)).toEqual([
    "0 s",
    "99 s",
    "2 min",
    "1 h 0 min",
    "1 h 5 min",
    "25 h 0 min",
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
    expect(lines[2]).toBe("/blocks…y/Conv  Conv  12");
  });

  test("no rows", () => expect(formatTable(["a"], [])).toBe("a\n─"));
});

describe("wrap", () => {
  test("breaks between words, with an indent and an end of lines", () => {
    const command = "  octette run m.octette --input image=a.npy -o out";
    expect(wrap(command, 34, "      ", " \\")).toEqual([
      "  octette run m.octette --input \\",
      "      image=a.npy -o out",
    ]);
    for (let width = 10; width < 60; width++) {
      const lines = wrap(command, width, "  ");
      expect(lines.map((line) => line.trim()).join(" ")).toBe(command.trim());
      const longest = Math.max(
        ...command
          .trim()
          .split(" ")
          .map((word) => word.length + 2),
      );
      for (const line of lines) expect(line.length).toBeLessThanOrEqual(Math.max(width, longest));
    }
  });

  test("what fits stays as it is, spaces and all", () => {
    expect(wrap("epoch 1/2  loss 0.5", 19)).toEqual(["epoch 1/2  loss 0.5"]);
    expect(wrap("", 5)).toEqual([""]);
  });

  test("words of a broken line keep the spaces between them", () => {
    expect(wrap("epoch 1/2  loss 0.5  12 codes", 24, "  ")).toEqual(["epoch 1/2  loss 0.5", "  12 codes"]);
  });

  test("a paragraph goes on below where it began, right of its name", () => {
    expect(wrapParagraph("tuned   better than before, beyond chance", 30)).toEqual([
      "tuned   better than before,",
      "        beyond chance",
    ]);
    expect(wrapParagraph("static: 34 of 34 nodes", 12)).toEqual(["static: 34", "  of 34", "  nodes"]);
  });
});

describe("formatPairs", () => {
  test("names and what they are, cut to the width, with nothing that a terminal obeys", () => {
    expect(
      formatPairs(
        [
          ["a", "1\u001b"],
          ["long", "0123456789"],
        ],
        13,
      ),
    ).toEqual(["a     1\\u001b", "long  012…789"]);
  });
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

  test("details and lines of its own where nobody watches", () => {
    const { written, progress } = record(false);
    progress.update("epoch 1/2", 1, 20, "loss 0.5");
    progress.log("epoch 1/2  done");
    progress.update("epoch 2/2", 11, 20);
    expect(written).toEqual([
      "epoch 1/2  1/20 (5 %)  loss 0.5\n",
      "epoch 1/2  done\n",
      "epoch 2/2  11/20 (55 %)\n",
    ]);
  });

  test("details make the bar shorter; a line takes the place of it, and it is drawn again at once", () => {
    const { written, progress } = record(true);
    progress.update("epoch 1/2", 10, 20, "loss 0.512  98.5 %  3 s left");
    expect(written[0]).toBe("\repoch 1/2  ██████░░░░░░ 10/20  loss 0.512  98.5 %  3 s left\x1b[K");
    progress.log("done");
    expect(written[1]).toBe("\r\x1b[Kdone\n");
    progress.update("epoch 1/2", 11, 20);
    expect(written[2]).toMatch(/^\repoch 1\/2 {2}█+░+ 11\/20/);
    progress.end();
    progress.log("more");
    expect(written.slice(3)).toEqual(["\n", "more\n"]);
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
