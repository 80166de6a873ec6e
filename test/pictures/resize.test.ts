// Resized and cropped pictures equal Pillow's and torchvision's to the byte.

import { describe, expect, test } from "vitest";
import { pictureTarget, preparePicture } from "../../src/pictures/prepare";
import { resize } from "../../src/pictures/resize";
import { hashOf, prepareCases, randomPicture, resizeCases } from "./pillow";

describe("resize", () => {
  test.each(resizeCases)("$from to $to, $channels channels, $filter: Pillow's bytes", (golden) => {
    const { from, to, channels, filter } = golden;
    const resized = resize(randomPicture(from, channels, 7), channels, to[0], to[1], filter);
    expect([resized.width, resized.height]).toEqual(to);
    expect(hashOf(resized.data)).toBe(golden.sha256);
  });

  test("of a rectangle gives the bytes that the whole has there", () => {
    const picture = randomPicture([40, 30], 3, 5);
    for (const filter of ["nearest", "bilinear", "bicubic"] as const)
      for (const [width, height] of [
        [40, 30],
        [40, 17],
        [23, 30],
        [64, 50],
      ] as const) {
        const whole = resize(picture, 3, width, height, filter);
        const part = resize(picture, 3, width, height, filter, { left: 3, top: 5, width: 11, height: 7 });
        const expected = Array.from({ length: 7 }, (_, y) => [
          ...whole.data.subarray(((y + 5) * width + 3) * 3, ((y + 5) * width + 14) * 3),
        ]);
        expect([...part.data]).toEqual(expected.flat());
      }
  });
});

describe("preparePicture", () => {
  const input = (channels: number, side: number) => ({
    name: "x",
    dtype: "f32" as const,
    shape: ["n", channels, side, side],
  });
  const nhwc = { layout: "nhwc", scale: 1, mean: [0], std: [1] } as const;

  test.each(prepareCases)("$from, resize $resize, crop $crop, $filter: torchvision's bytes", (golden) => {
    const picture = randomPicture(golden.from, 3, 9);
    for (const [channels, hash] of [
      [3, golden.sha256],
      [1, golden.grey],
    ] as const) {
      const target = pictureTarget(input(channels, golden.crop), golden, nhwc);
      const out = new Uint8Array(golden.crop ** 2 * channels);
      preparePicture(picture, target, out, 0, "picture");
      expect(hashOf(out)).toBe(hash);
    }
  });

  test("lays channels out as planes where the model has them so", () => {
    const picture = randomPicture([8, 8], 3, 1);
    const [last, first] = [nhwc, undefined].map((preprocessing) => {
      const out = new Uint8Array(192);
      preparePicture(picture, pictureTarget(input(3, 8), {}, preprocessing), out, 0, "picture");
      return out;
    });
    expect(last).toEqual(picture.data);
    expect(first).toEqual(
      Uint8Array.from({ length: 192 }, (_, i) => picture.data[(i % 64) * 3 + Math.floor(i / 64)]!),
    );
  });

  test("without options the picture is the smallest that covers the input", () => {
    const target = pictureTarget({ ...input(1, 0), shape: ["n", 1, 20, 10] }, {}, undefined);
    const out = new Uint8Array(200);
    const picture = randomPicture([50, 40], 1, 3);
    preparePicture(picture, target, out, 0, "picture");
    // The height is the tighter side: 50 × 40 becomes 25 × 20, of which 10 columns are kept.
    const rectangle = { left: 8, top: 0, width: 10, height: 20 };
    expect(out).toEqual(resize(picture, 1, 25, 20, "bilinear", rectangle).data);
  });

  test.each([
    [{ crop: 9 }, /crop: does not fit the model's input: expected 8x8, got 9x9/],
    [{ resize: "0" }, /resize: is not a size: expected a whole number from 1 to 16384/],
    [{ resize: "8x" }, /resize: is not a size/],
    [{ resize: 1e9 }, /resize: is not a size/],
    [
      { filter: "lanczos" as never },
      /filter: is not a filter: expected nearest, bilinear, bicubic, got lanczos/,
    ],
  ])("refuses %j", (options, message) => {
    expect(() => pictureTarget(input(3, 8), options, undefined)).toThrow(message);
  });

  test("refuses inputs that take no pictures, and sizes that nobody says", () => {
    expect(() => pictureTarget({ name: "x", dtype: "f32", shape: ["n", 7, 8, 8] }, {}, undefined)).toThrow(
      /takes no pictures: expected \[batch, 1 or 3, height, width\]/,
    );
    expect(() =>
      pictureTarget({ name: "x", dtype: "f32", shape: ["n", 3, "h", "w"] }, {}, undefined),
    ).toThrow(/has no size of its own/);
    const open = pictureTarget(
      { name: "x", dtype: "f32", shape: ["n", 3, "h", "w"] },
      { resize: "6x4" },
      undefined,
    );
    expect(open.sample).toEqual([3, 4, 6]);
  });

  test("refuses to crop beyond the picture", () => {
    const target = pictureTarget(input(3, 8), { crop: 8 }, undefined);
    expect(() =>
      preparePicture(randomPicture([9, 7], 3, 1), target, new Uint8Array(192), 0, "cat.png"),
    ).toThrow(/cat\.png: the picture cannot be cropped to the model's input: expected from 8x8 .*, got 9x7/);
  });
});
