// SHA-256 against another implementation, in pieces of any size, and Node's way against ours.

import { sha256 } from "@noble/hashes/sha2.js";
import { bytesToHex } from "@noble/hashes/utils.js";
import fc from "fast-check";
import { expect, test, vi } from "vitest";
import { createSha256, PlainSha256 } from "../../src/graph/sha256";

const expected = (bytes: Uint8Array) => bytesToHex(sha256(bytes));
const bytesOf = (length: number) => Uint8Array.from({ length }, (_, i) => (i * i * 31 + 7 * i) >> 3);

test("the examples of FIPS 180-4", () => {
  const hashOf = (text: string) => new PlainSha256().update(new TextEncoder().encode(text)).digest();
  expect(hashOf("abc")).toBe("ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
  expect(hashOf("abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq")).toBe(
    "248d6a61d20638b8e5c026930c3e6039a33ce45964ff2167f6ecedd419db06c1",
  );
});

test("every length around a block's end", () => {
  for (let length = 0; length <= 200; length++)
    expect(new PlainSha256().update(bytesOf(length)).digest(), `${length}`).toBe(expected(bytesOf(length)));
});

test("the same however the bytes are cut", () => {
  fc.assert(
    fc.property(fc.array(fc.uint8Array({ maxLength: 150 }), { maxLength: 12 }), (parts) => {
      const [plain, chosen] = [new PlainSha256(), createSha256()];
      for (const part of parts) {
        plain.update(part);
        chosen.update(part);
      }
      const hash = expected(Uint8Array.from(parts.flatMap((part) => [...part])));
      expect(plain.digest()).toBe(hash);
      expect(chosen.digest()).toBe(hash);
    }),
  );
});

test("megabytes", () => {
  const bytes = bytesOf(3_000_001);
  expect(new PlainSha256().update(bytes).digest()).toBe(expected(bytes));
});

test("where there is no Node it is our own", () => {
  vi.stubGlobal("process", undefined);
  const hash = createSha256();
  vi.unstubAllGlobals();
  expect(hash).toBeInstanceOf(PlainSha256);
});
