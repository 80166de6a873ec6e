// PNG and JPEG files against Pillow's pixels; and damaged ones, which throw typed errors and take no memory beyond their size.

import { crc32 } from "node:zlib";
import { describe, expect, test } from "vitest";
import { FormatError, OctetteError } from "../../src/errors";
import { readPicture } from "../../src/pictures/decode";
import { MAX_PICTURE_PIXELS, withChannels } from "../../src/pictures/picture";
import { randomOf } from "../graph-builder";
import { fileCases, fileNamed, hashOf } from "./pillow";

const rgbOf = (bytes: Uint8Array) => withChannels(readPicture(bytes), 3, "picture");

describe("PNG", () => {
  test.each(fileCases.filter(({ sha256 }) => sha256))("$name: Pillow's pixels", ({ bytes, size, sha256 }) => {
    const { width, height, data } = rgbOf(bytes);
    expect([width, height]).toEqual(size);
    expect(hashOf(data)).toBe(sha256);
  });
});

/** Where a pixel of an upright picture lies in the file, of w × h pixels: Pillow's exif_transpose. */
const sources: readonly ((x: number, y: number, w: number, h: number) => [x: number, y: number])[] = [
  (x, y) => [x, y],
  (x, y, w) => [w - 1 - x, y],
  (x, y, w, h) => [w - 1 - x, h - 1 - y],
  (x, y, _, h) => [x, h - 1 - y],
  (x, y) => [y, x],
  (x, y, _, h) => [y, h - 1 - x],
  (x, y, w, h) => [w - 1 - y, h - 1 - x],
  (x, y, w) => [w - 1 - y, x],
];

/** A PNG with an orientation, in a chunk eXIf of either order of bytes after its header, behind a mark that some programs write. */
function oriented(png: Uint8Array, orientation: number, isLittle: boolean, mark = ""): Uint8Array {
  const start = 8 + mark.length;
  const chunk = new Uint8Array(start + 26 + 4);
  const view = new DataView(chunk.buffer);
  view.setUint32(0, mark.length + 26);
  chunk.set(new TextEncoder().encode(`eXIf${mark}${isLittle ? "II" : "MM"}`), 4);
  const short = (at: number, value: number) => view.setUint16(start + at, value, isLittle);
  short(2, 42);
  view.setUint32(start + 4, 8, isLittle);
  for (const [i, value] of [1, 0x0112, 3].entries()) short(8 + 2 * i, value);
  view.setUint32(start + 14, 1, isLittle);
  short(18, orientation);
  view.setUint32(start + 26, crc32(chunk.subarray(4, start + 26)));
  return Uint8Array.from([...png.subarray(0, 33), ...chunk, ...png.subarray(33)]);
}

describe("PNG with an orientation", () => {
  test.each([
    "rgb8.png",
    "grey8.png",
    "palette4-interlaced.png",
    "rgba16.png",
  ])("%s is turned upright", (name) => {
    const plain = readPicture(fileNamed(name));
    const { width: w, height: h } = plain;
    const channels = plain.data.length / (w * h);
    for (const [i, source] of sources.entries()) {
      const { width, height, data } = readPicture(oriented(fileNamed(name), i + 1, i % 2 === 0));
      expect([width, height]).toEqual(i < 4 ? [w, h] : [h, w]);
      for (let y = 0; y < height; y++)
        for (let x = 0; x < width; x++) {
          const [fromX, fromY] = source(x, y, w, h);
          const pixel = (of: Uint8Array | Uint8ClampedArray, at: number) => [
            ...of.subarray(at * channels, (at + 1) * channels),
          ];
          expect(pixel(data, y * width + x)).toEqual(pixel(plain.data, fromY * w + fromX));
        }
    }
    expect(readPicture(oriented(fileNamed(name), 9, true))).toEqual(plain);
    const [marked, bare] = ["Exif\0\0", ""].map((mark) =>
      readPicture(oriented(fileNamed(name), 6, true, mark)),
    );
    expect(marked).toEqual(bare);
  });
});

describe("JPEG", () => {
  test.each(fileCases.filter(({ pixels }) => pixels))("$name: near Pillow's pixels", ({
    name,
    bytes,
    size,
    pixels,
  }) => {
    const { width, height, data } = rgbOf(bytes);
    expect([width, height]).toEqual(size);
    const away = Array.from(data, (value, i) => Math.abs(value - pixels![i]!));
    // Where colours are stored at full size only rounding differs; where at half, they are repeated, not smoothed.
    const isHalved = /420|422/.test(name);
    expect(away.reduce((sum, d) => sum + d, 0) / away.length).toBeLessThan(isHalved ? 12 : 1);
    if (!isHalved) expect(Math.max(...away)).toBeLessThanOrEqual(5);
  });
});

const outcome = (bytes: Uint8Array): string => {
  try {
    const { width, height, data } = readPicture(bytes);
    expect(data.length % (width * height)).toBe(0);
    return "read";
  } catch (error) {
    if (!(error instanceof OctetteError)) throw error;
    return error.code;
  }
};

describe("damaged files", () => {
  test("cut short anywhere they are refused", () => {
    for (const { bytes } of fileCases)
      for (let length = 0; length < bytes.length; length += 1 + (length >> 3))
        expect(() => readPicture(bytes.subarray(0, length))).toThrow(FormatError);
  });

  test("mutated anywhere they give pixels or a typed error", () => {
    const random = randomOf(1);
    const whole = (n: number) => Math.floor(random.between(0, n));
    const seen = new Set<string>();
    for (let round = 0; round < 40; round++)
      for (const { bytes } of fileCases) {
        const mutated = bytes.slice();
        for (let n = 1 + whole(4); n > 0; n--) mutated[whole(bytes.length)] = whole(256);
        seen.add(outcome(mutated));
      }
    expect(seen.has("read") && seen.has("format")).toBe(true);
  });

  test("a size that the bytes cannot have is refused before memory is taken", () => {
    const png = fileNamed("rgb8.png").slice();
    new DataView(png.buffer).setUint32(16, 8000);
    const jpeg = fileNamed("baseline444.jpg").slice();
    const frame = jpeg.findIndex((byte, i) => byte === 0xff && jpeg[i + 1] === 0xc0);
    new DataView(jpeg.buffer).setUint16(frame + 5, 8000);
    new DataView(jpeg.buffer).setUint16(frame + 7, 8000);
    for (const bytes of [png, jpeg]) expect(() => readPicture(bytes)).toThrow(FormatError);
    new DataView(jpeg.buffer).setUint16(frame + 5, 65000);
    new DataView(jpeg.buffer).setUint16(frame + 7, 65000);
    expect(() => readPicture(jpeg, "big.jpg")).toThrow(
      `big.jpg: the picture is too large: expected at most MAX_PICTURE_PIXELS = ${MAX_PICTURE_PIXELS} pixels, got 65000 × 65000`,
    );
  });

  test("kinds of JPEG that are not read say so", () => {
    const jpeg = fileNamed("baseline444.jpg").slice();
    const frame = jpeg.findIndex((byte, i) => byte === 0xff && jpeg[i + 1] === 0xc0);
    jpeg[frame + 1] = 0xc9;
    expect(() => readPicture(jpeg)).toThrow(/a kind of JPEG that is not read: arithmetic coding/);
    jpeg[frame + 1] = 0xc0;
    jpeg[frame + 4] = 12;
    expect(() => readPicture(jpeg)).toThrow(/a kind of JPEG that is not read: 12 bits/);
  });

  test("a picture of endless scans is refused", () => {
    const jpeg = fileNamed("progressive.jpg");
    const scan = jpeg.findIndex((byte, i) => byte === 0xff && jpeg[i + 1] === 0xda);
    const scans = Array.from({ length: 100 }, () => [...jpeg.subarray(scan, -2)]).flat();
    const bytes = Uint8Array.from([...jpeg.subarray(0, scan), ...scans, 0xff, 0xd9]);
    expect(() => readPicture(bytes)).toThrow(/too many scans: expected at most MAX_JPEG_SCANS = 64/);
  });

  test("what is no picture says what is read", () => {
    expect(() => readPicture(new TextEncoder().encode("GIF89a"), "a.gif")).toThrow(
      /a\.gif at byte 0: is not a picture that octette reads: expected PNG or JPEG, got bytes 47 49 46 38/,
    );
  });
});

test("channels of pictures become those that are wanted", () => {
  const of = (wanted: 1 | 3 | 4, ...data: number[]) => [
    ...withChannels({ width: 1, height: 1, data: Uint8Array.from(data) }, wanted, "picture").data,
  ];
  expect(of(4, 7)).toEqual([7, 7, 7, 255]);
  expect(of(4, 7, 9)).toEqual([7, 7, 7, 9]);
  expect(of(4, 1, 2, 3)).toEqual([1, 2, 3, 255]);
  expect(of(4, 1, 2, 3, 4)).toEqual([1, 2, 3, 4]);
  expect(of(3, 1, 2, 3, 4)).toEqual([1, 2, 3]);
  expect(of(3, 7, 9)).toEqual([7, 7, 7]);
  expect(of(1, 255, 0, 0)).toEqual([76]);
});
