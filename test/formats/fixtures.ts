// What the format tests share: real files where there are some, arbitrary tensors, and damage done to valid bytes.

import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import fc from "fast-check";
import { expect } from "vitest";
import { OctetteError } from "../../src/errors";
import { bytesPerElement, type DType, sizeOf, type Tensor, viewOf } from "../../src/graph/tensor";

/** Folder of real files (OCTETTE_DATA, or shared/data beside the repository), or undefined where there is none. */
export const dataFolder: string | undefined = (() => {
  const folder = process.env.OCTETTE_DATA ?? join(import.meta.dirname, "../../../shared/data");
  return existsSync(folder) ? folder : undefined;
})();

/** The bytes of a real file, or undefined where it is absent: `test.skipIf(file === undefined)`. */
export function realFile(path: string): Uint8Array | undefined {
  const file = dataFolder === undefined ? undefined : join(dataFolder, path);
  return file !== undefined && existsSync(file) ? new Uint8Array(readFileSync(file)) : undefined;
}

export const bitsOf = (tensor: Tensor): Uint8Array =>
  new Uint8Array(tensor.data.buffer, tensor.data.byteOffset, tensor.data.byteLength);

/** Equality to the bit, NaNs and the sign of zero included. */
export function expectSame(got: Tensor | undefined, want: Tensor): void {
  expect([got?.dtype, got?.shape]).toEqual([want.dtype, want.shape]);
  expect(bitsOf(got!)).toEqual(bitsOf(want));
}

const dtypes: DType[] = ["f32", "i8", "u8", "i32", "bool"];

/** A tensor of any dtype, of rank 0 to 4 with dimensions 0 to 5, of arbitrary bits. */
export const anyTensor: fc.Arbitrary<Tensor> = fc
  .record({ dtype: fc.constantFrom(...dtypes), shape: fc.array(fc.nat(5), { maxLength: 4 }) })
  .chain(({ dtype, shape }) => {
    const length = sizeOf(shape) * bytesPerElement[dtype];
    return fc
      .uint8Array({ minLength: length, maxLength: length, ...(dtype === "bool" ? { max: 1 } : {}) })
      .map((bytes) => ({ dtype, shape, data: viewOf(dtype, bytes.slice().buffer, 0, sizeOf(shape)) }));
  });

/** Longest a reader may think about a small damaged file, in milliseconds. */
const PATIENCE = 2000;

/** Reads `valid` truncated at random and with random bytes changed: the reader succeeds or throws an OctetteError. */
export function expectOnlyOctetteErrors(
  read: (bytes: Uint8Array) => unknown,
  valid: Uint8Array,
  numRuns = 400,
): void {
  const attempt = (bytes: Uint8Array) => {
    const start = performance.now();
    try {
      read(bytes);
    } catch (error) {
      if (!(error instanceof OctetteError)) throw error;
    }
    expect(performance.now() - start).toBeLessThan(PATIENCE);
  };
  // Headers are where the damage tells, so half of it is done to the first 256 bytes.
  const place = fc.oneof(fc.nat(Math.min(255, valid.length - 1)), fc.nat(valid.length - 1));
  const interesting = fc.oneof(fc.constantFrom(0, 1, 0x7f, 0x80, 0xff), fc.nat(255));
  fc.assert(
    fc.property(fc.array(fc.tuple(place, interesting), { minLength: 1, maxLength: 8 }), (changes) => {
      const bytes = valid.slice();
      for (const [at, byte] of changes) bytes[at] = byte;
      attempt(bytes);
    }),
    { numRuns },
  );
  fc.assert(
    fc.property(fc.nat(valid.length - 1), (length) => attempt(valid.slice(0, length))),
    { numRuns: numRuns / 4 },
  );
}
