import { expect, test } from "vitest";
import { countElements } from "../../src/formats/checks";
import { bf16ToF32Bits, decodeElements, f16ToF32Bits } from "../../src/formats/elements";

const asFloat = (bits: number) => new Float32Array(Int32Array.of(bits).buffer)[0]!;

test("every binary16 becomes the f32 that IEEE 754 says it is", () => {
  for (let half = 0; half < 65536; half++) {
    const sign = half & 0x8000 ? -1 : 1;
    const exponent = (half >> 10) & 31;
    const fraction = half & 0x3ff;
    const want =
      exponent === 31
        ? fraction
          ? Number.NaN
          : sign * Number.POSITIVE_INFINITY
        : sign * (exponent ? (1024 + fraction) * 2 ** (exponent - 25) : fraction * 2 ** -24);
    if (!Object.is(asFloat(f16ToF32Bits(half)), want))
      expect.fail(`0x${half.toString(16)} should be ${want}`);
  }
});

test("bfloat16 is the upper half of an f32", () => {
  expect(asFloat(bf16ToF32Bits(0x3fc0))).toBe(1.5);
  expect(asFloat(bf16ToF32Bits(0xc2f7))).toBe(-123.5);
});

test("64-bit integers are saturated, and the first that was is reported", () => {
  const bytes = new Uint8Array(
    BigInt64Array.of(-(2n ** 31n), 2n ** 31n - 1n, 2n ** 63n - 1n, -(2n ** 63n)).buffer,
  );
  expect(decodeElements("i64", bytes)).toEqual({
    dtype: "i32",
    data: Int32Array.of(-(2 ** 31), 2 ** 31 - 1, 2 ** 31 - 1, -(2 ** 31)),
    saturated: 2,
  });
  expect(decodeElements("u64", bytes).data).toEqual(new Int32Array(4).fill(2 ** 31 - 1));
  expect(decodeElements("i64", bytes.slice(0, 16).reverse(), false)).toEqual({
    dtype: "i32",
    data: Int32Array.of(2 ** 31 - 1, -(2 ** 31)),
    saturated: -1,
  });
});

test("bytes at any address and in either order", () => {
  const bytes = Uint8Array.of(9, 1, 2, 0xff, 0xfe).subarray(1);
  expect([...decodeElements("i16", bytes).data]).toEqual([0x0201, -257]);
  expect([...decodeElements("i16", bytes, false).data]).toEqual([0x0102, -2]);
  expect([...decodeElements("u16", bytes).data]).toEqual([0x0201, 0xfeff]);
  expect([...decodeElements("i32", bytes, false).data]).toEqual([0x0102fffe]);
  expect([...decodeElements("u32", bytes).data]).toEqual([2 ** 31 - 1]);
  expect([...decodeElements("f32", Uint8Array.of(0x3f, 0xc0, 0, 0), false).data]).toEqual([1.5]);
  expect([...decodeElements("bool", bytes).data]).toEqual([1, 1, 1, 1]);
  const halves = Uint8Array.of(9, 0xc0, 0x3f, 0xf7, 0xc2);
  for (const odd of [halves, Buffer.from(halves.buffer)])
    expect([...decodeElements("bf16", odd.subarray(1)).data]).toEqual([1.5, -123.5]);
});

test("shapes whose product is no exact number are refused, zeros notwithstanding", () => {
  expect(countElements([])).toBe(1);
  expect(countElements([3, 0, 5])).toBe(0);
  expect(countElements([0, 2 ** 40, 2 ** 40])).toBeUndefined();
  expect(countElements([2 ** 30, 2 ** 30])).toBeUndefined();
  expect(countElements([-1])).toBeUndefined();
  expect(countElements([1.5])).toBeUndefined();
});
