import fc from "fast-check";
import { unzipSync, zipSync } from "fflate";
import { describe, expect, test } from "vitest";
import { FormatError } from "../../src/errors";
import { writeNpy } from "../../src/formats/npy";
import { MAX_NPZ_BYTES, readNpz } from "../../src/formats/npz";
import { writeNpz } from "../../src/formats/write-npz";
import { sizeOf, type Tensor, tensor } from "../../src/graph/tensor";
import { anyTensor, dataFolder, expectOnlyOctetteErrors, expectSame, realFile } from "./fixtures";

const sample = new Map<string, Tensor>([
  [
    "weights",
    tensor(
      "f32",
      [3, 50],
      Array.from({ length: 150 }, (_, i) => i % 7),
    ),
  ],
  ["labels", tensor("u8", [4], [1, 2, 3, 4])],
]);

test("readNpz(writeNpz(x)) = x", () => {
  fc.assert(
    fc.property(
      fc.uniqueArray(fc.tuple(fc.string(), anyTensor), { selector: ([name]) => name }),
      (entries) => {
        const got = readNpz(writeNpz(new Map(entries)));
        expect([...got.keys()]).toEqual(entries.map(([name]) => name));
        for (const [name, x] of entries) expectSame(got.get(name), x);
      },
    ),
  );
});

test("what is stored is a zip that others read", () => {
  const files = unzipSync(writeNpz(sample));
  expect(Object.keys(files)).toEqual(["weights.npy", "labels.npy"]);
  expect(files["labels.npy"]).toEqual(writeNpy(sample.get("labels")!));
});

test("what passes the fields of a zip is refused", () => {
  const one = tensor("u8", [1], [1]);
  const arrays = (count: number) => new Map(Array.from({ length: count }, (_, i) => [`${i}`, one] as const));
  const named = (length: number) => new Map([["x".repeat(length - ".npy".length), one]]);
  expect(readNpz(writeNpz(named(65_535))).size).toBe(1);
  for (const tensors of [arrays(65_536), named(65_536)])
    expect(() => writeNpz(tensors)).toThrow(
      expect.objectContaining({ code: "limit", where: ".npz", got: "65536" }),
    );
});

test("equal tensors give equal bytes, names such as __proto__ stay names", () => {
  expect(writeNpz(sample)).toEqual(writeNpz(new Map(sample)));
  const odd = new Map([["__proto__", tensor("u8", [1], [1])]]);
  expect([...readNpz(writeNpz(odd)).keys()]).toEqual(["__proto__"]);
});

test.each([0, 6] as const)("entries of a zip that others write, at level %i", (level) => {
  const bytes = zipSync({ "a.npy": writeNpy(sample.get("weights")!) }, { level });
  expectSame(readNpz(bytes).get("a"), sample.get("weights")!);
});

const places = ["golden/fake_quantize.npz", "digits/digits.npz", "edge/yunet_n_320_320.npz"];
test.skipIf(!dataFolder).each(places)("reads %s", (path) => {
  for (const { shape, data } of readNpz(realFile(path)!).values()) expect(data.length).toBe(sizeOf(shape));
});

describe("refuses", () => {
  /** A zip with one u32 field of its first directory entry replaced. */
  const doctored = (at: number, value: number, level: 0 | 6 = 6) => {
    const bytes = zipSync({ "a.npy": writeNpy(sample.get("weights")!) }, { level });
    const view = new DataView(bytes.buffer);
    const directory = view.getUint32(bytes.length - 22 + 16, true);
    view.setUint32(directory + at, value, true);
    return bytes;
  };
  test.each([
    ["a bomb, by its directory", doctored(24, MAX_NPZ_BYTES + 1), /too large when unpacked.*MAX_NPZ_BYTES/],
    ["a size that deflate cannot reach", doctored(24, 2 ** 23), /sizes that deflate cannot reach/],
    ["more data than the directory says", doctored(24, 100), /more data than the file says/],
    ["less data than the directory says", doctored(24, 729), /less data than the file says/],
    ["another checksum", doctored(16, 1234), /array "a".*checksum differs: expected CRC-32 4d2/],
    ["another checksum, stored", doctored(16, 1234, 0), /checksum differs/],
    ["encryption", doctored(8, 1 | (8 << 16)), /is encrypted/],
    ["an unknown method", doctored(8, 12 << 16), /stored or deflated, got method 12/],
    ["a stored entry of two sizes", doctored(20, 5, 0), /two sizes/],
    ["data outside the file", doctored(42, 1 << 30), /is not where the zip directory says/],
    ["a file that is no array", zipSync({ "a.txt": new Uint8Array(3) }), /"a\.txt" is not an array/],
    ["no zip", new Uint8Array(100), /not a zip file/],
    ["nothing", new Uint8Array(), /not a zip file/],
  ])("%s", (_, bytes, message) => {
    const read = () => readNpz(bytes, "x.npz");
    expect(read).toThrow(FormatError);
    expect(read).toThrow(message);
  });

  test("a bomb that lies about its size, without unpacking it", () => {
    const bytes = zipSync({ "a.npy": new Uint8Array(1 << 24) });
    new DataView(bytes.buffer).setUint32(bytes.length - 22 - 51 + 24, 1000, true);
    const start = performance.now();
    expect(() => readNpz(bytes)).toThrow(/more data than the file says/);
    expect(performance.now() - start).toBeLessThan(2000);
  });

  test("damage, with an OctetteError", () => {
    expectOnlyOctetteErrors(readNpz, writeNpz(sample));
    expectOnlyOctetteErrors(readNpz, zipSync({ "a.npy": writeNpy(sample.get("labels")!) }, { level: 0 }));
  });
});
