// Tables as people have them: separators, names of classes, chosen columns, values that are missing, windows over time.

import { describe, expect, test } from "vitest";
import { type OpenOptions, openDataset } from "../../src/data/open";
import { OctetteError } from "../../src/errors";
import type { Input } from "../../src/graph/graph";
import type { Tensor } from "../../src/graph/tensor";
import { randomOf } from "../graph-builder";

const two: Input = { name: "x", dtype: "f32", shape: ["n", 2] };
const open = async (text: string, options: OpenOptions = {}, input = two) => {
  const data = await openDataset({ name: "t.csv", bytes: new TextEncoder().encode(text) }, [input], options);
  const { shape, data: values } = data.at(Int32Array.from({ length: data.count }, (_, i) => i)).x as Tensor;
  return { data, shape, values: [...values], labels: data.labels && [...data.labels] };
};

describe("labels that are names", () => {
  const rows = "0.5,1,walk\n1.5,2,run\n2.5,3,walk\n";
  test.each([
    ["with a header", `a,b,activity\n${rows}`],
    ["without one", rows],
    ["of whole numbers before them", rows.replaceAll(".5", "")],
    [
      "between semicolons, with decimal commas",
      `a;b;activity\n${rows.replaceAll(",", ";").replaceAll(".", ",")}`,
    ],
    ["between tabs", rows.replaceAll(",", "\t")],
    ["in the middle", "a,kind,b\n0,run,1\n1,walk,2\n"],
  ])("%s", async (_, text) => {
    const { data, labels } = await open(text);
    expect(data.classes).toEqual(["run", "walk"]);
    expect(labels!.length).toBe(text.includes("kind") ? 2 : 3);
    expect(labels!.slice(0, 2)).toEqual(text.includes("kind") ? [0, 1] : [1, 0]);
  });

  test("say where they were found", async () => {
    expect((await open(`a,b,activity\n${rows}`)).data.notes).toEqual([
      'labels taken from the column "activity" of t.csv',
    ]);
    expect((await open(rows)).values).toEqual([0.5, 1, 1.5, 2, 2.5, 3]);
  });

  test("are numbers alone, or names alone", async () => {
    await expect(open("1,2,0\n1,2,other\n", { labels: "last" })).rejects.toThrow(
      /t\.csv, line 2, column 3: not a label: expected numbers alone, or names alone, got "other"/,
    );
    await expect(open("1,2,1e39\n1,2,1\n", { labels: "last" })).rejects.toThrow(/not a label: .*got "1e39"/);
  });

  test("none is a class; what else means that nothing is there is missing", async () => {
    const { data, labels } = await open("a,b,label\n1,2,none\n3,none,none\n4,5,wave\n6,7,NA\n", {
      missing: "drop",
    });
    expect([labels, data.classes]).toEqual([
      [0, 1],
      ["none", "wave"],
    ]);
    expect(data.notes).toEqual(["t.csv: left out 2 rows in which a value is missing"]);
  });

  test("that are not all whole are numbers to find, of windows those of the last row", async () => {
    const rows = "a,b,target\n1,2,-0.5\n3,4,20\n5,6,1e3\n7,8,2.25\n";
    const { data, labels } = await open(rows);
    expect([labels, data.classes, [...data.targets!]]).toEqual([
      undefined,
      undefined,
      [-0.5, 20, 1000, 2.25],
    ]);
    expect([...data.pick([3, 0]).take(1).targets!]).toEqual([2.25]);
    const input: Input = { ...two, shape: ["n", 2, 2] };
    const window = await open(rows, { window: 2, windowLabel: "last" }, input);
    expect([...window.data.targets!]).toEqual([20, 2.25]);
    await expect(open(rows, { window: 2 }, input)).rejects.toThrow(
      /labels that are not all whole have no majority: .*\(--window-label last\)/,
    );
  });

  test("are numbered as a model numbers them", async () => {
    const { data } = await open(rows);
    const renumbered = data.withClasses(["sit", "walk", "run"]);
    expect([...renumbered.labels!]).toEqual([1, 2, 1]);
    expect(renumbered.classes).toEqual(["sit", "walk", "run"]);
    expect([...renumbered.pick([1]).labels!]).toEqual([2]);
    expect(() => data.withClasses(["sit", "run"])).toThrow(
      /t\.csv, classes: is none of the classes: expected sit, run, got "walk"/,
    );
  });
});

describe("as spreadsheets write them", () => {
  test("a line that names the separator, line ends in quotes, and rows without values at the end", async () => {
    const text = `\ufeff"sep=;"\r\n"a\n(""cm"")";b;"label"\r\n1,5;2;"x\r\ny"\r\n3;"4";z 5"\r\n;;\r\n ;"";\r\n`;
    for (const source of [text, text.slice(0, -11)]) {
      const { data, values, labels } = await open(source);
      expect([values, labels]).toEqual([
        [1.5, 2, 3, 4],
        [0, 1],
      ]);
      expect(data.classes).toEqual(["x\r\ny", 'z 5"']);
    }
    await expect(open('a,b,label\n1,"2\n2",x\n3,4\n')).rejects.toThrow(
      /line 2, column 2 \("b"\): not a number/,
    );
    await expect(open('a,b,label\n1,2,"x\ny"\n3,4\n')).rejects.toThrow(/line 4: a row of another length/);
    await expect(open("a,b,label\n1,2,x\n,,\n3,4,x\n")).rejects.toThrow(
      /line 3, column 1 \("a"\): a value is missing/,
    );
  });

  test("a point may stand between thousands where numbers have a decimal comma", async () => {
    expect((await open("1,5;2\n1e3;4\n")).values).toEqual([1.5, 2, 1000, 4]);
    expect((await open("1.5;2\n3;4.25\n")).values).toEqual([1.5, 2, 3, 4.25]);
    for (const rows of ["1,5;2\n3;1.234\n", "1.234;2\n3;0,5\n"])
      await expect(open(rows)).rejects.toThrow(/line 2, .*a decimal comma and with a decimal point: got "/);
    await expect(open("1,5;2\n1.234,5;2\n")).rejects.toThrow(/got "1.234,5"/);
    for (const rows of ["a\tb\n1,5\t2\n", 'a,b\n"1,5",2\n'])
      await expect(open(rows)).rejects.toThrow(
        /got "1,5"\. A decimal comma is read where semicolons separate/,
      );
  });

  test("labels may have decimal commas, and stay without names", async () => {
    const { data, labels, values } = await open("a;b;label\n1,5;2;0,0\n3;4;2,0\n");
    expect([values, labels, data.classes]).toEqual([[1.5, 2, 3, 4], [0, 2], undefined]);
    expect((await open("a;b;label\n1,5;2;u,v\n")).data.classes).toEqual(["u,v"]);
    expect([...(await open("a;b;label\n1,5;2;0,5\n")).data.targets!]).toEqual([0.5]);
  });

  test("text of an older code page is named", async () => {
    const bytes = Uint8Array.of(97, 44, 98, 10, 49, 44, 0xe4, 10);
    await expect(openDataset({ name: "t.csv", bytes }, [two])).rejects.toThrow(/not UTF-8 text\. In Excel/);
  });
});

describe("headers that mean labels", () => {
  const three: Input = { ...two, shape: ["n", 3] };
  test("the surest one, wherever it stands; y beside x and z is a coordinate", async () => {
    const { values, labels } = await open("x,y,z,label\n1,2,3,0\n4,5,6,1\n", {}, three);
    expect([values, labels]).toEqual([
      [1, 2, 3, 4, 5, 6],
      [0, 1],
    ]);
    expect((await open("x,y,z,move\n1,2,3,up\n4,5,6,down\n", {}, three)).labels).toEqual([1, 0]);
    expect((await open("x,y,z\n1,2,3\n4,5,6\n", {}, three)).labels).toBeUndefined();
    expect((await open("y,a,b\n7,1,2\n8,4,5\n")).labels).toEqual([7, 8]);
    expect((await open("x,y\n1,0\n4,1\n", {}, { ...two, shape: ["n", 1] })).labels).toEqual([0, 1]);
  });

  test("a category that the model's input has room for is a feature", async () => {
    const text = "a,b,category\n1,2,0\n4,5,1\n";
    const { values, labels } = await open(text, {}, three);
    expect([values, labels]).toEqual([[1, 2, 0, 4, 5, 1], undefined]);
    expect((await open(text)).labels).toEqual([0, 1]);
    await expect(open(text.replace("category", "label"), {}, three)).rejects.toThrow();
  });

  test("one name over two columns is refused", async () => {
    const text = "a,b,kind,kind\n1,2,0,1\n";
    await expect(open(text, { labels: "kind" })).rejects.toThrow(/two columns are called "kind"/);
  });
});

describe("columns", () => {
  const text = "time,acc_x,acc_y,label\n2024-01-01,1,2,0\n2024-01-02,3,4,1\n";
  test("are chosen by names, patterns and places", async () => {
    for (const columns of [["acc_*"], ["acc_x", "acc_y"], ["1", "2"], "acc_*", "acc_x, acc_y"])
      expect((await open(text, { columns })).values).toEqual([1, 2, 3, 4]);
    expect((await open(text, { columns: ["acc_y", "acc_x"] })).values).toEqual([2, 1, 4, 3]);
    expect((await open("9,1,2\n9,3,4\n", { columns: ["1", "2"] })).values).toEqual([1, 2, 3, 4]);
  });

  test.each([
    [{}, /line 2, column 1 \("time"\): not a number that f32 holds: got "2024-01-01".*--columns/],
    [{ columns: ["acc_z"] }, /no column "acc_z": expected time, acc_x, acc_y, label/],
    [{ columns: ["acc_x", "acc_*"] }, /a column is chosen twice: got acc_x/],
    [{ columns: ["acc_x", "3"] }, /a column is chosen twice: got label/],
    [{ labels: "kind" }, /no such label column/],
    [{ group: "kind", columns: ["acc_*"] }, /no such group column/],
    [{ resize: 3 }, /the option resize is for data of another kind: expected picture, got csv/],
  ])("%j is refused", async (options, message) => {
    await expect(open(text, options)).rejects.toThrow(message);
  });

  test("have a header where that is said", async () => {
    expect((await open("0,1\n2,3\n", { header: true })).values).toEqual([2, 3]);
    await expect(open("a,b\n2,3\n", { header: false })).rejects.toThrow(/line 1, column 1: not a number/);
  });
});

describe("values that are missing", () => {
  const text = "a,b,label\n1,2,0\n,4,1\n3,NaN,0\n5,6,?\n";
  test("are refused", async () => {
    await expect(open(text)).rejects.toThrow(
      /line 3, column 1 \("a"\): a value is missing: got an empty field.*--missing/,
    );
    await expect(open("a,b,label\n1,2,\n")).rejects.toThrow(/column 3 \("label"\): a label is missing/);
    await expect(open("a,b,label\n,2,1\n", { missing: "mean" })).rejects.toThrow(/a column without a value/);
  });

  test("are filled by the mean of their column", async () => {
    const { values, data } = await open("a,b\n1,2\n,4\n5,NA\n", { missing: "mean" });
    expect(values).toEqual([1, 2, 3, 4, 5, 3]);
    expect(data.notes).toEqual(["t.csv: filled 2 missing values by the means of their columns"]);
  });

  test("or their rows are left out", async () => {
    const { values, labels, data } = await open(text, { missing: "drop" });
    expect(values).toEqual([1, 2]);
    expect(labels).toEqual([0]);
    expect(data.notes).toEqual(["t.csv: left out 3 rows in which a value is missing"]);
  });
});

describe("windows over time", () => {
  const series: Input = { name: "x", dtype: "f32", shape: ["n", 3, 2] };
  const text = `a,b,label\n${Array.from({ length: 8 }, (_, i) => `${i},${10 + i},${i < 4 ? 0 : 1}`).join("\n")}\n`;

  test("one after the other, or overlapping", async () => {
    const { shape, values, labels } = await open(text, { window: 3 }, series);
    expect(shape).toEqual([2, 3, 2]);
    expect(values).toEqual([0, 10, 1, 11, 2, 12, 3, 13, 4, 14, 5, 15]);
    expect(labels).toEqual([0, 1]);
    const overlapping = await open(text, { window: 3, stride: 1 }, series);
    expect(overlapping.labels).toEqual([0, 0, 0, 1, 1, 1]);
    expect((await open(text, { window: 3, stride: 1, windowLabel: "last" }, series)).labels).toEqual([
      0, 0, 1, 1, 1, 1,
    ]);
  });

  test("columns before rows where the input has them so, with ones in between", async () => {
    const { shape, values } = await open(text, { window: 3 }, { ...series, shape: ["n", 2, 1, 3] });
    expect(shape).toEqual([2, 2, 1, 3]);
    expect(values.slice(0, 6)).toEqual([0, 1, 2, 10, 11, 12]);
    expect((await open(text, { window: 3 }, { ...series, shape: ["n", "t", 2] })).shape).toEqual([2, 3, 2]);
    expect((await open(text, { window: 3 }, { ...series, shape: ["n", 6] })).shape).toEqual([2, 6]);
  });

  test("never across groups, nor across rows that were left out", async () => {
    const grouped = "s,a,b\nk,0,0\nk,1,1\nk,2,2\nm,3,3\nm,4,4\nm,5,5\nm,6,6\n";
    const { values } = await open(grouped, { window: 3, stride: 1, group: "s" }, series);
    expect(values.filter((_, i) => i % 6 === 0)).toEqual([0, 3, 4]);
    const holed = "a,b\n0,0\n1,1\n,2\n3,3\n4,4\n5,5\n";
    expect((await open(holed, { window: 3, missing: "drop" }, series)).values[0]).toBe(3);
  });

  test("of equal labels the smaller; and what does not fit", async () => {
    const tie = "a,b,label\n0,0,2\n0,0,1\n";
    expect((await open(tie, { window: 2 }, { ...series, shape: ["n", 2, 2] })).labels).toEqual([1]);
    await expect(open(text, { window: 9 }, { ...series, shape: ["n", 9, 2] })).rejects.toThrow(
      /no window fits: expected 9 rows or more without a break, got 8 rows/,
    );
    await expect(open(text, { window: 0 }, series)).rejects.toThrow(
      /window does not fit: expected a whole number from 1, got 0/,
    );
    await expect(open(text, { window: 4 }, series)).rejects.toThrow(/does not fit the model's input/);
  });
});

test("mutated tables give samples or a typed error", async () => {
  const random = randomOf(7);
  const whole = (n: number) => Math.floor(random.between(0, n));
  const bytes = new TextEncoder().encode(
    "a;b;s;label\n1,5;2;k;walk\n2,5;;k;run\n3,5;4;m;walk\n4,5;5;m;run\n",
  );
  const outcomes = new Set<string>();
  for (let round = 0; round < 1500; round++) {
    const mutated = bytes.slice();
    for (let n = 1 + whole(3); n > 0; n--) mutated[whole(bytes.length)] = whole(256);
    const missing = (["refuse", "mean", "drop"] as const)[round % 3]!;
    try {
      const data = await openDataset({ name: "m.csv", bytes: mutated }, [two], {
        missing,
        columns: ["a", "b"],
        group: "s",
      });
      data.at([0]);
      outcomes.add("read");
    } catch (error) {
      if (!(error instanceof OctetteError)) throw error;
      outcomes.add(error.code);
    }
  }
  expect(outcomes.has("read") && outcomes.has("format")).toBe(true);
});
