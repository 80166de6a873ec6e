// What messages carry as feeds, in examples/node-red: nothing is guessed, and nothing is changed to fit.

import { expect, test } from "vitest";
import type { Input } from "../../src/index";

const { feedsOf } = await import(new URL("../../examples/node-red/feeds.js", import.meta.url).href);

const bytes = { layout: "nchw", scale: 1 / 16, mean: [0], std: [1] } as const;
const of = (dtype: Input["dtype"], preprocessing?: Input["preprocessing"]): Input => ({
  name: "x",
  dtype,
  shape: ["batch", 4],
  ...(preprocessing && { preprocessing }),
});

test.each([
  [of("f32"), Float32Array, [0, -1.5, 2, 1e9]],
  [of("f32", bytes), Uint8Array, [0, 1, 254, 255]],
  [of("f32", { ...bytes, of: "numbers" }), Float32Array, [0, 1, 254, 0.5]],
  [of("i32"), Int32Array, [0, -1, 2 ** 31 - 1, -(2 ** 31)]],
  [of("u8"), Uint8Array, [0, 1, 2, 255]],
  [of("i8"), Int8Array, [0, -128, 127, 1]],
  [of("bool"), Uint8Array, [0, 1, 1, 0]],
])("numbers become the elements that %o takes", async (input, Elements, numbers) => {
  const wanted = Elements.from(numbers);
  expect((await feedsOf([input], numbers)).x).toEqual(wanted);
  expect((await feedsOf([input], [numbers.slice(0, 2), numbers.slice(2)])).x).toEqual(wanted);
  // Not aligned, as a part of a message may be.
  const buffer = Buffer.concat([Buffer.alloc(1), Buffer.from(wanted.buffer)]).subarray(1);
  expect((await feedsOf([input], buffer)).x).toEqual(wanted);
  expect((await feedsOf([input], { x: numbers })).x).toEqual(wanted);
  expect((await feedsOf([input], wanted)).x).toBe(wanted);
});

test.each([
  [of("f32"), [1, Number.NaN], "element 1"],
  [of("f32"), [1, Infinity], "element 1"],
  [of("f32"), [1, 1e39], "expected finite numbers of 32 bits, got 1e+39"],
  [of("f32"), [1, -1e300], "element 1"],
  [of("f32", { ...bytes, of: "numbers" }), [1e39], "element 0"],
  [of("f32"), [1, null], "got null"],
  [of("f32"), [true], "got boolean"],
  [of("bool"), [1, 2], "expected true, false, 1 or 0, got 2"],
  [of("bool"), [0.5], "got 0.5"],
  [of("bool"), ["true"], "got string"],
  [of("f32"), ["1"], "got string"],
  [of("f32", bytes), [0.5], "a Float32Array is taken as normalized"],
  [of("f32", bytes), [256], "got 256"],
  [of("f32", bytes), [-1], "got -1"],
  [of("i32"), [2 ** 31], "element 0"],
  [of("i8"), [128], "element 0"],
  [of("f32"), [[1, 2], [3]], "rows differ"],
  [of("f32"), [[1, 2], 3], "rows differ"],
  [of("f32"), [], "is empty"],
  [of("f32"), Buffer.alloc(5), "a multiple of 4 bytes"],
  [of("f32"), "1,2", "a Buffer"],
  [of("f32"), undefined, "got undefined"],
  [of("f32"), { y: 1 }, "got Object"],
])("refuses for %o: %o", async (input, payload, told) => {
  await expect(feedsOf([input], payload)).rejects.toThrow(told);
  await expect(feedsOf([input], payload)).rejects.toMatchObject({ code: "argument" });
});

test("several inputs are named; the model tells names that it does not have", async () => {
  const inputs = [of("f32"), { ...of("i32"), name: "y" }];
  const { x, y, z } = await feedsOf(inputs, { x: [1], y: [2], z: 3 });
  expect([x, y, z]).toEqual([Float32Array.of(1), Int32Array.of(2), 3]);
  await expect(feedsOf(inputs, [1, 2])).rejects.toThrow("the model has several inputs, expected { x, y }");
});

test("booleans are the elements of an input that takes them", async () => {
  const { x } = await feedsOf(
    [of("bool")],
    [
      [true, false],
      [0, 1],
    ],
  );
  expect(x).toEqual(Uint8Array.of(1, 0, 0, 1));
});

test("tensors keep their facts; their data may be numbers", async () => {
  const { x } = await feedsOf([of("f32")], { dtype: "f32", shape: [1, 4], data: [1, 2, 3, 4] });
  expect(x).toEqual({ dtype: "f32", shape: [1, 4], data: Float32Array.of(1, 2, 3, 4) });
});
