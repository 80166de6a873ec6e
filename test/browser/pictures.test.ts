// What a page has pixels in: each of them as a model's feeds, the same bytes.

import { expect, test } from "vitest";
import { pictureFeed } from "../../src/pictures/feed";

const preprocessing = { layout: "nchw", scale: 1 / 255, mean: [0], std: [1] } as const;
const model = { inputs: [{ name: "x", dtype: "f32" as const, shape: ["n", 3, 4, 6], preprocessing }] };
const [width, height] = [6, 4];

test("ImageData, canvases, an ImageBitmap, a VideoFrame and an image feed the same bytes", async () => {
  const data = Uint8ClampedArray.from({ length: 4 * width * height }, (_, i) =>
    i % 4 === 3 ? 255 : (i * 37) % 256,
  );
  const image = new ImageData(data, width, height);
  const canvas = Object.assign(document.createElement("canvas"), { width, height });
  canvas.getContext("2d")!.putImageData(image, 0, 0);
  const offscreen = new OffscreenCanvas(width, height);
  offscreen.getContext("2d")!.putImageData(image, 0, 0);
  const picture = new Image();
  picture.src = canvas.toDataURL("image/png");
  await picture.decode();
  const frame = new VideoFrame(canvas, { timestamp: 0 });
  const expected = pictureFeed(model, image).x!;
  expect(expected.shape).toEqual([1, 3, 4, 6]);
  expect([...expected.data.subarray(0, 3)]).toEqual([data[0], data[4], data[8]]);
  for (const source of [canvas, offscreen, await createImageBitmap(image), picture])
    expect(pictureFeed(model, source).x).toEqual(expected);
  // Frames of a video may pass through another colour space.
  const framed = pictureFeed(model, frame).x!;
  frame.close();
  expect(framed.shape).toEqual(expected.shape);
  for (const [i, value] of framed.data.entries())
    expect(Math.abs(value - expected.data[i]!)).toBeLessThanOrEqual(3);
});

test("an image that has not loaded is refused", () => {
  expect(() => pictureFeed(model, new Image())).toThrow(/has no pixels.* got HTMLImageElement of 0 × 0/);
});
