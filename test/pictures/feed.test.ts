// Pixels of pages and programs as a model's feeds.

import { describe, expect, test } from "vitest";
import type { Input, Preprocessing } from "../../src/graph/graph";
import { load, quantize, save } from "../../src/index";
import { openPicture, pictureFeed } from "../../src/pictures/index";
import { resize } from "../../src/pictures/resize";
import { GraphBuilder } from "../graph-builder";
import { fileCases, randomPicture } from "./pillow";

const preprocessing: Preprocessing = { layout: "nchw", scale: 1 / 255, mean: [0], std: [1] };
const modelOf = (shape: Input["shape"], more: Partial<Input> = { preprocessing }) => ({
  inputs: [{ name: "x", dtype: "f32" as const, shape, ...more }],
});

describe("pictureFeed", () => {
  const picture = randomPicture([8, 6], 4, 1);

  test("ImageData, RGBA, RGB and grey bytes for a model of colours", () => {
    const model = modelOf(["n", 3, 6, 8]);
    const rgba = pictureFeed(model, { ...picture, data: Uint8ClampedArray.from(picture.data) }).x!;
    expect(rgba.dtype).toBe("u8");
    expect(rgba.shape).toEqual([1, 3, 6, 8]);
    expect([...rgba.data]).toEqual(
      Array.from({ length: 144 }, (_, i) => picture.data[(i % 48) * 4 + Math.floor(i / 48)]!),
    );
    const data = picture.data.filter((_, i) => i % 4 < 3);
    expect(pictureFeed(model, { ...picture, data }).x).toEqual(rgba);
    const grey = pictureFeed(model, randomPicture([8, 6], 1, 2)).x!;
    expect([...grey.data.subarray(0, 48)]).toEqual([...grey.data.subarray(96)]);
  });

  test("colours for a model of grey, flat and of rank 3 too", () => {
    const white = { width: 2, height: 2, data: new Uint8Array(12).fill(255) };
    for (const shape of [
      ["n", 4],
      ["n", 2, 2],
      ["n", 1, 2, 2],
      ["n", 2, 2, 1],
    ] as const) {
      const { x } = pictureFeed(modelOf(shape), white);
      expect(x!.shape).toEqual([1, ...shape.slice(1)]);
      expect([...x!.data]).toEqual([255, 255, 255, 255]);
    }
  });

  test("channels last where the model takes them so", () => {
    const { x } = pictureFeed(
      modelOf(["n", 3, 6, 8], { preprocessing: { ...preprocessing, layout: "nhwc" } }),
      picture,
    );
    expect(x!.shape).toEqual([1, 6, 8, 3]);
    expect([...x!.data.subarray(0, 3)]).toEqual([...picture.data.subarray(0, 3)]);
  });

  test("resizes by the options", () => {
    const model = modelOf(["n", 1, 4, 4]);
    const grey = randomPicture([8, 6], 1, 2);
    const { x } = pictureFeed(model, grey, { resize: 5, crop: 4, filter: "bicubic" });
    const expected = resize(grey, 1, 6, 5, "bicubic", { left: 1, top: 0, width: 4, height: 4 });
    expect([...x!.data]).toEqual([...expected.data]);
  });

  test("what it feeds, a model runs", async () => {
    const b = new GraphBuilder(3);
    const weights = b.constant("w", { dtype: "f32", shape: [2, 3], data: Float32Array.of(1, 2, 3, 4, 5, 6) });
    const pooled = b.node("GlobalAveragePool", [b.input("x", ["batch", 3, 6, 8])], "p");
    b.node("Linear", [b.node("Flatten", [pooled], "f", { axis: 1 }), weights], "y");
    const graph = b.build("y");
    const normalized = { ...graph, inputs: graph.inputs.map((input) => ({ ...input, preprocessing })) };
    const { graph: quantized } = await quantize(normalized, {
      calibration: [pictureFeed({ inputs: normalized.inputs }, picture)],
      force: true,
    });
    const model = await load(save(quantized));
    try {
      const { y } = await model.run(pictureFeed(model, picture));
      expect(y!.shape).toEqual([1, 2]);
    } finally {
      model.dispose();
    }
  });

  test.each([
    [() => pictureFeed(modelOf(["n", 3, 6, 8], {}), picture), /does not say how bytes become its numbers/],
    [
      () => pictureFeed(modelOf(["n", 3, 6, 8]), { ...picture, width: 7 }),
      /is not a picture: expected \{ width, height, data \}.*got 7 × 6 and 192 bytes/,
    ],
    [
      () => pictureFeed(modelOf(["n", 3, 6, 8]), { ...picture, data: new Float32Array(192) as never }),
      /is not a picture/,
    ],
    [() => pictureFeed(modelOf(["n", 3, 6, 8]), {} as never), /has no pixels: expected ImageData/],
    [() => pictureFeed(modelOf(["n", 3, 6, 8]), null as never), /has no pixels/],
    [() => pictureFeed(modelOf(["n", 3, 6, 8]), picture, { size: 3 } as never), /no option "size"/],
    [
      () => pictureFeed(modelOf(["n", 3, 6, 8]), picture, { input: "image" }),
      /no input "image": expected "x"/,
    ],
    [() => pictureFeed({ inputs: [] }, picture), /which input takes the picture\?/],
  ])("refuses %s", (call, message) => {
    expect(call).toThrow(message);
  });
});

test("openPicture reads from whatever a model is loaded from", async () => {
  for (const { bytes, size } of fileCases.slice(0, 2)) {
    const picture = await openPicture(new Blob([bytes.slice()]));
    expect([picture.width, picture.height]).toEqual(size);
    expect(await openPicture(bytes)).toEqual(picture);
  }
});
