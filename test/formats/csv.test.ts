import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { FormatError, OctetteError } from "../../src/errors";
import { readCsv } from "../../src/formats/csv";
import { tensor } from "../../src/graph/tensor";
import { expectOnlyOctetteErrors, expectSame, realFile } from "./fixtures";

const finite = fc.float({ noNaN: true, noDefaultInfinity: true });
const table = fc
  .integer({ min: 1, max: 5 })
  .chain((width) => fc.array(fc.array(finite, { minLength: width, maxLength: width }), { minLength: 1 }));

test("read(write(x)) = x, whatever the line ends, header and byte order mark", () => {
  fc.assert(
    fc.property(table, fc.constantFrom("\n", "\r\n"), fc.boolean(), (rows, end, header) => {
      const lines = rows.map((row) =>
        row.map((value) => (Object.is(value, -0) ? "-0" : `${value}`)).join(","),
      );
      if (header) lines.unshift(rows[0]!.map((_, i) => `"c, ${i}"`).join(","));
      const text = `\ufeff${lines.join(end)}${end}`;
      const shape = [rows.length, rows[0]!.length];
      expectSame(readCsv(text).features, tensor("f32", shape, rows.flat()));
      expectSame(readCsv(new TextEncoder().encode(text)).features, tensor("f32", shape, rows.flat()));
    }),
  );
});

describe("labels", () => {
  const text = "x,y,class\n1,2.5,7\n\n.5,-1e3,-1\n";
  test.each(["class", 2, -1])("in column %s", (labelColumn) => {
    const { features, labels, columns } = readCsv(text, { labelColumn });
    expectSame(features, tensor("f32", [2, 2], [1, 2.5, 0.5, -1000]));
    expectSame(labels, tensor("i32", [2], [7, -1]));
    expect(columns).toEqual(["x", "y"]);
  });

  test("an unknown column is the caller's mistake", () => {
    expect(() => readCsv(text, { labelColumn: "z" })).toThrow(/expected one of x, y, class, got z/);
    expect(() => readCsv("1,2", { labelColumn: 2 })).toThrow(OctetteError);
  });
});

test("a header of a word and column numbers is one", () => {
  expect(readCsv("label,0,1,2\n5,1,1,1", { labelColumn: "label" }).features.shape).toEqual([1, 3]);
});

test("an empty table", () => {
  expectSame(readCsv("").features, tensor("f32", [0, 0], []));
  expectSame(readCsv("a,b\n").features, tensor("f32", [0, 2], []));
});

const keypoints = realFile("edge/keypoint/keypoint.csv");
test.skipIf(!keypoints)("the keypoint table", () => {
  const { features, labels } = readCsv(keypoints!, { labelColumn: 0 });
  expect(features.shape[1]).toBe(42);
  expect(labels?.shape).toEqual([features.shape[0]]);
});

describe("refuses", () => {
  test.each([
    ["a word among numbers", "a,b\n1,2\n3,x\n", /t\.csv, line 3, column 2 \("b"\): not a number.*got "x"/],
    ["a mistake in the first row", "1.5,x\n2,3", /line 1, column 2: not a number/],
    ["an empty field", "1,2\n3,\n", /line 2, column 2: .*got an empty field/],
    ["a row of another length", "1,2\n\n3\n", /line 3: a row of another length: expected 2 fields, got 1/],
    ["hexadecimal", "1\n0x10", /got "0x10"/],
    ["what f32 cannot hold", "1\n1e39", /got "1e39"/],
    ["an open quote", '"a\n1', /line 1: a quote is not closed/],
  ])("%s", (_, text, message) => {
    const read = () => readCsv(text, { where: "t.csv" });
    expect(read).toThrow(FormatError);
    expect(read).toThrow(message);
  });

  test("labels that f32 does not hold", () => {
    expect(() => readCsv("1,2\n1,2.5e40", { labelColumn: 1 })).toThrow(/line 2, column 2: not a label/);
  });

  test("a wide first row over many short ones, without allocating the product", () => {
    expect(() => readCsv(`${"1,".repeat(200_000)}1\n${"1\n".repeat(200_000)}`)).toThrow(/another length/);
  });

  test("damage, with an OctetteError", () => {
    const text = 'a,"b",c\n1,2,3\n4,5.5,6e1\n';
    expectOnlyOctetteErrors((bytes) => readCsv(bytes, { labelColumn: 2 }), new TextEncoder().encode(text));
  });
});
