// Spans of JSON: what they cut out is what JSON.parse finds there, and what is no JSON gives nothing wrong.

import { expect, test } from "vitest";
import { parseBytes, replaced, spanOf, textBytes } from "../../src/formats/json-span";

const bytesOf = (json: string) => new TextEncoder().encode(json);
const awkward = ['"', "\\", '\\"', "}{][,:", '"b":{', "é\u{1f600}\n\u0001", ""];

test.each([
  ...awkward,
  { a: awkward },
  [[awkward, 1]],
  12,
  null,
  true,
])("%j is found and taken out", (value) => {
  const json = bytesOf(
    JSON.stringify({ x: { b: 1 }, [awkward[2]!]: awkward, a: { c: [value], b: value }, b: 2 }),
  );
  const span = spanOf(json, "a", "b")!;
  expect(parseBytes(json.subarray(...span))).toEqual(value);
  expect(parseBytes(replaced(json, [{ span, by: "7" }]))).toHaveProperty(["a", "b"], 7);
  expect(spanOf(json, "a", "d")).toBeUndefined();
  if (typeof value === "string") expect(textBytes(json.subarray(...span))).toEqual(bytesOf(value));
});

test("no member of what is no object, or is cut short", () => {
  for (const json of ["", "[]", '"a"', '{"b":1', '{"b"', '{"b":{"a":', '{ "a":1}', "{a:1}"])
    expect(spanOf(bytesOf(json), "a"), json).toBeUndefined();
});
