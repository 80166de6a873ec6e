import { expect, test } from "vitest";
import { fromDigits, fromHex } from "../../src/engine/hex";

const bytes = Uint8Array.from({ length: 256 }, (_, i) => i);
const hex = Array.from(bytes, (byte) => byte.toString(16).padStart(2, "0")).join("");

test("hexadecimal digits become the same bytes, with the engine's help and without", () => {
  expect(new Uint8Array(fromHex(hex))).toEqual(bytes);
  expect(fromDigits(hex)).toEqual(bytes);
  expect(fromDigits("")).toEqual(new Uint8Array(0));
});
