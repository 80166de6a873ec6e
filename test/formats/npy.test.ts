import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { FormatError } from "../../src/errors";
import { readNpy, writeNpy } from "../../src/formats/npy";
import { tensor } from "../../src/graph/tensor";
import { anyTensor, expectOnlyOctetteErrors, expectSame, realFile } from "./fixtures";

/** A file of NumPy's: version 1.0 header of 128 bytes, as numpy.save wrote it, and data in base64. */
function npy(descr: string, fortran: boolean, shape: string, base64: string, version = 1): Uint8Array {
  const order = fortran ? "True" : "False";
  const dict = `{'descr': '${descr}', 'fortran_order': ${order}, 'shape': ${shape}, }`;
  const prefix = version === 1 ? [1, 0, 118, 0] : [version, 0, 116, 0, 0, 0];
  return Buffer.concat([
    Buffer.from([0x93]),
    Buffer.from("NUMPY"),
    Buffer.from(prefix),
    Buffer.from(`${dict.padEnd(121 - prefix.length)}\n`),
    Buffer.from(base64, "base64"),
  ]);
}

describe("reads what NumPy wrote", () => {
  test("half precision, with subnormals, infinity and NaN", () => {
    expect([...readNpy(npy("<f2", false, "(9,)", "AAAAgAA8AMH/ewEAAHwAfv8D")).data]).toEqual([
      0,
      -0,
      1,
      -2.5,
      65504,
      2 ** -24,
      Number.POSITIVE_INFINITY,
      Number.NaN,
      1023 * 2 ** -24,
    ]);
  });

  test("double precision, rounded to f32", () => {
    expectSame(
      readNpy(npy("<f8", false, "(1, 2)", "AAAAAAAA+D+cdQCIPOQ3fg==")),
      tensor("f32", [1, 2], [1.5, Number.POSITIVE_INFINITY]),
    );
  });

  test("booleans, 64-bit and 16-bit big-endian integers, a scalar", () => {
    expectSame(readNpy(npy("|b1", false, "(2,)", "AQA=")), tensor("bool", [2], [1, 0]));
    expectSame(
      readNpy(npy("<i8", false, "(2,)", "AAAAgP////////9/AAAAAA==")),
      tensor("i32", [2], [-(2 ** 31), 2 ** 31 - 1]),
    );
    expectSame(readNpy(npy(">i2", false, "(2,)", "AAH//g==")), tensor("i32", [2], [1, -2]));
    expectSame(readNpy(npy("|u1", false, "()", "Bw==")), tensor("u8", [], [7]));
  });

  test("Fortran order", () => {
    const base64 =
      "AAAAAAwAAAAEAAAAEAAAAAgAAAAUAAAAAQAAAA0AAAAFAAAAEQAAAAkAAAAVAAAA" +
      "AgAAAA4AAAAGAAAAEgAAAAoAAAAWAAAAAwAAAA8AAAAHAAAAEwAAAAsAAAAXAAAA";
    const range = Array.from({ length: 24 }, (_, i) => i);
    expectSame(readNpy(npy("<i4", true, "(2, 3, 4)", base64)), tensor("i32", [2, 3, 4], range));
  });

  test.each([2, 3])("version %i.0", (version) => {
    expectSame(readNpy(npy("|u1", false, "(1,)", "Bw==", version)), tensor("u8", [1], [7]));
  });

  const logits = realFile("vision/mlp.logits256.npy");
  test.skipIf(!logits)("and writes the same bytes", () => {
    expect(writeNpy(readNpy(logits!))).toEqual(logits);
  });
});

test("read(write(x)) = x, data aligned to 64 bytes", () => {
  fc.assert(
    fc.property(anyTensor, (x) => {
      const bytes = writeNpy(x);
      expect((bytes.length - x.data.byteLength) % 64).toBe(0);
      expectSame(readNpy(bytes), x);
    }),
  );
});

describe("refuses", () => {
  const u64 = Buffer.from(BigUint64Array.of(1n, 2n ** 31n).buffer).toString("base64");
  test.each([
    ["an integer outside 32 bits", npy("<u8", false, "(2,)", u64), /x\.npy at byte 136: .*element 1 of <u8/],
    ["strings", npy("<U3", false, "(1,)", ""), /expected f8, f4.*got "<U3"/],
    ["objects", npy("|O", false, "(1,)", ""), /"\|O"/],
    ["a structured dtype", npy("x", false, "(1,), 'more': [('a', '<f4')]", ""), /a header that is not read/],
    ["too few data", npy("<f4", false, "(2,)", "AAAA"), /at byte 128.*<f4 \[2\], got 3 bytes/],
    ["too many data", npy("|u1", false, "(2,)", "AAAA"), /got 3 bytes/],
    ["a product that overflows", npy("|u1", false, "(4294967296, 4294967296, 0)", ""), /do not fill/],
    ["another file", Buffer.from("PK\x03\x04"), /at byte 0: not an \.npy file/],
    ["nothing", new Uint8Array(), /not an \.npy file/],
    ["a version to come", npy("|u1", false, "(1,)", "Bw==", 4), /got 4\.0/],
  ])("%s", (_, bytes, message) => {
    const read = () => readNpy(bytes, "x.npy");
    expect(read).toThrow(FormatError);
    expect(read).toThrow(message);
  });

  test("damage, with an OctetteError", () => {
    expectOnlyOctetteErrors(readNpy, writeNpy(tensor("i32", [2, 3], [1, 2, 3, 4, 5, 6])));
    expectOnlyOctetteErrors(readNpy, npy("<f4", true, "(1, 2)", "AAAAAAAAAAA="));
  });
});

test("writeNpy refuses what is not a tensor", () => {
  for (const other of [[1, 2], new Float32Array(2), { dtype: "f32", shape: [3], data: new Float32Array(2) }])
    expect(() => writeNpy(other as never)).toThrow("writeNpy: is not a tensor");
});
