import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { FormatError } from "../../src/errors";
import { readSafetensors, readSafetensorsHeader, readSafetensorsTensor } from "../../src/formats/safetensors";
import { MAX_SAFETENSORS_HEADER_BYTES, safetensorsHeaderBytes } from "../../src/formats/safetensors-header";
import { writeSafetensors } from "../../src/formats/write-safetensors";
import { type Tensor, tensor } from "../../src/graph/tensor";
import { anyTensor, expectOnlyOctetteErrors, expectSame, realFile } from "./fixtures";

/** A file with any header, true to the format or not. */
function file(header: unknown, data: ArrayLike<number> = [], padding = ""): Uint8Array {
  const json = new TextEncoder().encode(
    (typeof header === "string" ? header : JSON.stringify(header)) + padding,
  );
  const bytes = new Uint8Array(8 + json.length + data.length);
  new DataView(bytes.buffer).setUint32(0, json.length, true);
  bytes.set(json, 8);
  bytes.set(data, 8 + json.length);
  return bytes;
}

const sample = new Map<string, Tensor>([
  ["bytes", tensor("i8", [3], [-1, 0, 1])],
  ["a", tensor("f32", [2, 2], [1, 2, 3, 4])],
  ["mask", tensor("bool", [2], [1, 0])],
  ["A", tensor("i32", [], [7])],
]);

describe("a written file", () => {
  const names = fc.oneof(fc.string(), fc.constantFrom("__proto__", "constructor", "7", "é", "\ud83d"));
  const entries = fc.uniqueArray(fc.tuple(names, anyTensor), { selector: ([name]) => name });
  const metadata = fc.dictionary(names, fc.string());

  test("reads back the same, metadata and odd names included", () => {
    fc.assert(
      fc.property(entries, metadata, (pairs, texts) => {
        const got = readSafetensors(writeSafetensors(new Map(pairs), texts));
        expect(got.tensors.size).toBe(pairs.length);
        for (const [name, x] of pairs) expectSame(got.tensors.get(name), x);
        expect(Object.entries(got.metadata).sort()).toEqual(Object.entries(texts).sort());
      }),
    );
  });

  test("writes back the same bytes", () => {
    const bytes = writeSafetensors(sample, { format: "pt" });
    const { tensors, metadata } = readSafetensors(bytes);
    expect(writeSafetensors(tensors, metadata)).toEqual(bytes);
  });

  test("is ordered by descending element size, then name, its data at a multiple of 64", () => {
    const { entries, headerBytes } = readSafetensorsHeader(writeSafetensors(sample));
    expect(entries.map(({ name }) => name)).toEqual(["A", "a", "bytes", "mask"]);
    expect(headerBytes % 64).toBe(0);
  });

  test("is read without a copy where it is aligned, and with one where it is not", () => {
    const bytes = writeSafetensors(sample);
    for (const { data } of readSafetensors(bytes).tensors.values()) expect(data.buffer).toBe(bytes.buffer);
    const shifted = new Uint8Array(bytes.length + 1).subarray(1);
    shifted.set(bytes);
    for (const [name, x] of readSafetensors(shifted).tensors) expectSame(x, sample.get(name)!);
  });

  test("can be read tensor by tensor from its first bytes on", () => {
    const bytes = writeSafetensors(sample);
    const { entries, headerBytes, fileBytes } = readSafetensorsHeader(
      bytes.slice(0, safetensorsHeaderBytes(bytes.slice(0, 8))),
    );
    expect(fileBytes).toBe(bytes.length);
    let at = headerBytes;
    for (const entry of entries) {
      expectSame(readSafetensorsTensor(entry, bytes.slice(at, (at += entry.bytes))), sample.get(entry.name)!);
    }
  });
});

test("halves, doubles and other integers become f32 and i32", () => {
  const info = (dtype: string, begin: number, end: number) => ({
    dtype,
    shape: [1],
    data_offsets: [begin, end],
  });
  const header = {
    h: info("F16", 0, 2),
    b: info("BF16", 2, 4),
    l: info("I64", 4, 12),
    t: info("BOOL", 12, 13),
  };
  const { tensors } = readSafetensors(file(header, [0, 0x3e, 0xc0, 0x3f, ...new Array(8).fill(255), 2]));
  expectSame(tensors.get("h"), tensor("f32", [1], [1.5]));
  expectSame(tensors.get("b"), tensor("f32", [1], [1.5]));
  expectSame(tensors.get("l"), tensor("i32", [1], [-1]));
  expectSame(tensors.get("t"), tensor("bool", [1], [1]));
});

const model = realFile("lm/kjv/model.safetensors");
test.skipIf(!model)("a Hugging Face model", () => {
  const { tensors, metadata } = readSafetensors(model!);
  expect(metadata).toEqual({ format: "pt" });
  for (const { data, dtype } of tensors.values()) {
    expect(dtype).toBe("f32");
    expect(data.every(Number.isFinite)).toBe(true);
  }
});

describe("refuses", () => {
  const u8 = (shape: unknown, data_offsets: unknown) => ({ dtype: "U8", shape, data_offsets });
  const tooLong = new Uint8Array(8);
  new DataView(tooLong.buffer).setUint32(0, MAX_SAFETENSORS_HEADER_BYTES + 1, true);
  test.each([
    ["nothing", new Uint8Array(), /at byte 0: truncated/],
    ["a header longer than the limit", tooLong, /MAX_SAFETENSORS_HEADER_BYTES/],
    ["a header of 2^63 bytes", new Uint8Array(8).fill(0x7f), /the header is too long/],
    [
      "a truncated header",
      file({}).slice(0, 9),
      /at byte 9: truncated: expected a header of 10 bytes, got 9/,
    ],
    ["no JSON", file("{]"), /at byte 8: the header is not JSON/],
    ["JSON after a blank", file(" {}"), /does not begin with \{/],
    ["ill-formed UTF-8", file("{}", []).fill(0xff, 9), /not JSON/],
    ["an array", file("[]"), /does not begin with/],
    ["metadata that are no strings", file({ __metadata__: { a: 1 } }), /not a map of strings/],
    ["an entry that is no object", file({ a: [1] }), /tensor "a".*: its entry is not an object/],
    ["an entry without fields", file({ a: {} }), /unknown dtype: .*got nothing/],
    [
      "fields of the prototype",
      file('{"a":{"__proto__":{"dtype":"U8","shape":[],"data_offsets":[0,1]}}}', [0]),
      /dtype/,
    ],
    ["an unknown dtype", file({ a: { ...u8([1], [0, 1]), dtype: "Q4" } }, [0]), /got "Q4"/],
    ["a negative dimension", file({ a: u8([-1], [0, 0]) }), /whole numbers/],
    ["a shape that is text", file({ a: u8("3", [0, 3]) }, [1, 2, 3]), /its shape is not one/],
    ["a product that overflows", file({ a: u8([2 ** 32, 2 ** 32, 0], [0, 0]) }), /product below 2\^53/],
    ["offsets that are not two", file({ a: u8([0], [0]) }), /data_offsets are not two/],
    ["offsets that run backwards", file({ a: u8([1], [1, 0]) }, [0]), /its length is not that/],
    ["a length that is not the shape's", file({ a: u8([2], [0, 1]) }, [0]), /expected 2 bytes for U8 \[2\]/],
    ["a hole", file({ a: u8([1], [0, 1]), b: u8([1], [2, 3]) }, [0, 0, 0]), /"b" comes after a hole/],
    ["a hole at the front", file({ a: u8([1], [1, 2]) }, [0, 0]), /comes after a hole/],
    ["an overlap", file({ a: u8([2], [0, 2]), b: u8([2], [1, 3]) }, [0, 0, 0]), /"b" overlaps another/],
    ["two names for the same bytes", file({ a: u8([1], [0, 1]), b: u8([1], [0, 1]) }, [0]), /overlaps/],
    ["missing data", file({ a: u8([2], [0, 2]) }, [0]), /truncated: expected \d+ bytes/],
    ["data that no tensor has", file({ a: u8([1], [0, 1]) }, [0, 0]), /bytes after the last tensor/],
    [
      "an integer outside 32 bits",
      file({ a: { dtype: "I64", shape: [1], data_offsets: [0, 8] } }, [0, 0, 0, 0, 1, 0, 0, 0]),
      /element 0 of I64/,
    ],
  ])("%s", (_, bytes, message) => {
    const read = () => readSafetensors(bytes, "x.safetensors");
    expect(read).toThrow(FormatError);
    expect(read).toThrow(message);
  });

  test("8-bit floats, but not before their tensor is asked for", () => {
    const bytes = file({ a: { dtype: "F8_E4M3", shape: [1], data_offsets: [0, 1] } }, [0]);
    const [entry] = readSafetensorsHeader(bytes).entries;
    expect(() => readSafetensorsTensor(entry!, new Uint8Array(1))).toThrow(/got F8_E4M3/);
  });

  test("the name __metadata__ for a tensor", () => {
    expect(() => writeSafetensors(new Map([["__metadata__", tensor("u8", [0], [])]]))).toThrow(
      /the name is reserved/,
    );
  });

  test("damage, with an OctetteError", () => {
    expectOnlyOctetteErrors(readSafetensors, writeSafetensors(sample, { format: "pt" }), 1000);
  });
});

test("the header may be padded with blanks", () => {
  expect(readSafetensors(file({}, [], "     ")).tensors.size).toBe(0);
});
