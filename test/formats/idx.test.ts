import fc from "fast-check";
import { gzipSync } from "fflate";
import { describe, expect, test } from "vitest";
import { FormatError } from "../../src/errors";
import { MAX_IDX_BYTES, readIdx } from "../../src/formats/idx";
import { type DType, type Tensor, tensor } from "../../src/graph/tensor";
import { anyTensor, expectOnlyOctetteErrors, expectSame, realFile } from "./fixtures";

const types: Partial<Record<DType, number>> = { u8: 0x08, i8: 0x09, i32: 0x0c, f32: 0x0d };

/** The test's own writer: elements are reversed byte by byte, as IDX is big-endian. */
function idx({ dtype, shape, data }: Tensor): Uint8Array {
  const size = data.BYTES_PER_ELEMENT;
  const bytes = new Uint8Array(4 + 4 * shape.length + data.byteLength);
  bytes.set([0, 0, types[dtype]!, shape.length]);
  const view = new DataView(bytes.buffer);
  for (const [axis, dim] of shape.entries()) view.setUint32(4 + 4 * axis, dim);
  const source = new Uint8Array(data.buffer, data.byteOffset, data.byteLength);
  for (let i = 0; i < source.length; i++) {
    bytes[4 + 4 * shape.length + i] = source[i - (i % size) + size - 1 - (i % size)]!;
  }
  return bytes;
}

test("read(write(x)) = x, gzipped or not", () => {
  fc.assert(
    fc.property(
      anyTensor.filter(({ dtype }) => dtype !== "bool"),
      (x) => {
        expectSame(readIdx(idx(x)), x);
        expectSame(readIdx(gzipSync(idx(x), { filename: "x", mtime: 0 })), x);
      },
    ),
  );
});

test("16-bit integers and doubles", () => {
  expectSame(readIdx(Uint8Array.of(0, 0, 0x0b, 1, 0, 0, 0, 1, 0xff, 0xfe)), tensor("i32", [1], [-2]));
  const double = Uint8Array.of(0, 0, 0x0e, 1, 0, 0, 0, 1, 0x3f, 0xf8, 0, 0, 0, 0, 0, 0);
  expectSame(readIdx(double), tensor("f32", [1], [1.5]));
});

const images = realFile("mnist/t10k-images-idx3-ubyte.gz");
const labels = realFile("mnist/t10k-labels-idx1-ubyte.gz");
test.skipIf(!images || !labels)("MNIST's test set", () => {
  expect(readIdx(images!).shape).toEqual([10000, 28, 28]);
  expect([...readIdx(labels!).data.slice(0, 5)]).toEqual([7, 2, 1, 0, 4]);
});

describe("refuses", () => {
  const sample = idx(tensor("i32", [2, 3], [1, -2, 3, -4, 5, -6]));
  const gzipped = gzipSync(sample);
  const withSize = (size: number) => {
    const bytes = gzipped.slice();
    new DataView(bytes.buffer).setUint32(bytes.length - 4, size, true);
    return bytes;
  };
  test.each([
    ["another file", Uint8Array.of(0x89, 0x50, 0x4e, 0x47), /not an IDX file.*got 137, 80, 78, 71/],
    ["nothing", new Uint8Array(), /not an IDX file/],
    ["truncated dimensions", sample.slice(0, 9), /at byte 9: truncated: expected 2 dimensions/],
    ["too few data", sample.slice(0, -1), /at byte 12.*i32 \[2, 3\], got 23 bytes/],
    ["a product that overflows", Uint8Array.of(0, 0, 8, 3, ...new Array(12).fill(255)), /do not fill/],
    ["gzip that unpacks to too much", withSize(MAX_IDX_BYTES + 1), /too large when unpacked/],
    ["gzip that lies about its size", withSize(sample.length - 1), /more data than the file says/],
    ["truncated gzip", gzipped.slice(0, -9), /x\.idx/],
  ])("%s", (_, bytes, message) => {
    const read = () => readIdx(bytes, "x.idx");
    expect(read).toThrow(FormatError);
    expect(read).toThrow(message);
  });

  test("damage, with an OctetteError", () => {
    expectOnlyOctetteErrors(readIdx, sample);
    expectOnlyOctetteErrors(readIdx, gzipped);
  });
});
