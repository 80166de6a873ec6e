// Data sets over arrays: shapes, numbers and batches, and what the errors say.

import { describe, expect, test } from "vitest";
import { createDataset } from "../../src/data/dataset";
import { formatNormalize, parseNormalize } from "../../src/data/normalize";
import { sampleIndices } from "../../src/data/sampling";
import type { Input } from "../../src/graph/graph";
import { type Tensor, tensor } from "../../src/graph/tensor";

const image: Input = { name: "image", dtype: "f32", shape: ["batch", 2, 2, 3] };
const { fround } = Math;
const count = (n: number) => Float32Array.from({ length: n }, (_, i) => i);
const all = (batches: Iterable<Readonly<Record<string, unknown>>>, name: string) =>
  [...batches].map((feeds) => feeds[name] as Tensor);

describe("createDataset", () => {
  test("batches hold every sample once, in order, and can be read again", () => {
    const data = createDataset({ x: tensor("f32", [5, 2], count(10)) }, [
      { name: "x", dtype: "f32", shape: ["n", 2] },
    ]);
    for (const _ of [1, 2]) {
      const parts = all(data.batches(2), "x");
      expect(parts.map((t) => t.shape)).toEqual([
        [2, 2],
        [2, 2],
        [1, 2],
      ]);
      expect(parts.flatMap((t) => [...t.data])).toEqual([...count(10)]);
    }
  });

  test("u8 through the tables equals the formula, every step rounded to f32, for each channel", () => {
    const normalize = parseNormalize("1/255,0.4914:0.4822,0.247:0.2435");
    const bytes = Uint8Array.from({ length: 12 }, (_, i) => i * 23);
    const data = createDataset({ image: { dtype: "u8", shape: [1, 2, 2, 3], data: bytes } }, [image], {
      normalize,
    });
    const [out] = all(data.batches(4), "image");
    const expected = [...bytes].map((v, i) => {
      const c = i < 6 ? 0 : 1;
      return fround(fround(fround(v * (1 / 255)) - fround(normalize.mean[c]!)) / fround(normalize.std[c]!));
    });
    expect([...out!.data]).toEqual(expected);
    expect(data.preprocessing).toEqual({ image: normalize });
  });

  test("channels-last images are transposed when asked, and named when not", () => {
    const bytes = Uint8Array.from({ length: 12 }, (_, i) => i);
    const nhwc: Tensor = { dtype: "u8", shape: [1, 2, 3, 2], data: bytes };
    const [out] = all(
      createDataset({ image: nhwc }, [image], { normalize: parseNormalize("1,0,1,nhwc") }).batches(1),
      "image",
    );
    expect(out!.shape).toEqual([1, 2, 2, 3]);
    expect([...out!.data]).toEqual([0, 2, 4, 6, 8, 10, 1, 3, 5, 7, 9, 11]);
    expect(() => createDataset({ image: nhwc }, [image], { normalize: parseNormalize("1,0,1") })).toThrow(
      /data, array "image".*expected \[samples, 2, 2, 3\], got \[1, 2, 3, 2\].*nhwc/,
    );
  });

  test("floats and integers get the same numbers as bytes when normalize is given", () => {
    const normalize = parseNormalize("1/255,0.1307,0.3081,nhwc");
    const values = Uint8Array.from({ length: 24 }, (_, i) => i * 9);
    const as = (dtype: "u8" | "i32" | "f32", data: Tensor["data"]) =>
      all(
        createDataset({ image: { dtype, shape: [2, 2, 3, 2], data } }, [image], { normalize }).batches(2),
        "image",
      )[0]!.data;
    expect(as("f32", Float32Array.from(values))).toEqual(as("u8", values));
    expect(as("i32", Int32Array.from(values))).toEqual(as("u8", values));
  });

  test("what the model carries applies to bytes, not to floats", () => {
    const input = { ...image, preprocessing: parseNormalize("0.5,0,1") };
    const read = (dtype: "u8" | "f32", data: Tensor["data"]) =>
      all(createDataset({ image: { dtype, shape: [1, 2, 2, 3], data } }, [input]).batches(1), "image")[0]!
        .data;
    expect(read("u8", new Uint8Array(12).fill(8))).toEqual(new Float32Array(12).fill(4));
    expect(read("f32", new Float32Array(12).fill(8))).toEqual(new Float32Array(12).fill(8));
  });

  test("what the model carries for any numbers applies to floats and integers, too", () => {
    const input = { ...image, preprocessing: parseNormalize("0.5,0,1,numbers") };
    const shape = [1, 2, 2, 3];
    for (const [dtype, array] of [
      ["u8", Uint8Array],
      ["f32", Float32Array],
      ["i32", Int32Array],
      ["i8", Int8Array],
    ] as const) {
      const data = createDataset({ image: { dtype, shape, data: new array(12).fill(8) } }, [input]);
      const [fed] = all(data.batches(1), "image");
      expect(fed).toEqual({
        dtype: "f32",
        shape,
        data: new Float32Array(12).fill(4),
        normalized: { ...input.preprocessing },
      });
      expect(data.preprocessing).toEqual({ image: input.preprocessing });
    }
  });

  test("it says what normalized it, of any numbers where bytes they are not", () => {
    const normalize = parseNormalize("1/16,0,1");
    const preprocessingOf = (dtype: "u8" | "f32", data: Tensor["data"]) =>
      createDataset({ image: { dtype, shape: [1, 2, 2, 3], data } }, [image], { normalize }).preprocessing;
    expect(preprocessingOf("u8", new Uint8Array(12))).toEqual({ image: normalize });
    expect(preprocessingOf("f32", count(12))).toEqual({ image: { ...normalize, of: "numbers" } });
    expect(createDataset({ image: tensor("f32", [1, 2, 2, 3], count(12)) }, [image]).preprocessing).toEqual(
      {},
    );
  });

  test("each of several inputs has its own", () => {
    const inputs: Input[] = [
      { name: "a", dtype: "f32", shape: ["n", 2], preprocessing: parseNormalize("2,0,1,numbers") },
      { name: "b", dtype: "f32", shape: ["n", 2], preprocessing: parseNormalize("3,0,1") },
      { name: "c", dtype: "f32", shape: ["n", 2] },
    ];
    const ones = tensor("f32", [1, 2], [1, 1]);
    const data = createDataset({ a: ones, b: ones, c: ones }, inputs);
    const [feeds] = [...data.batches(1)] as Record<string, Tensor>[];
    expect(Object.values(feeds!).map((fed) => fed.data[0])).toEqual([2, 1, 1]);
    expect(Object.keys(data.preprocessing)).toEqual(["a"]);
  });

  test.each([
    [
      [3, 8, 8],
      ["n", 1, 8, 8],
    ],
    [
      [3, 64],
      ["n", 1, 8, 8],
    ],
    [
      [3, 1, 8, 8],
      ["n", 64],
    ],
    [
      [3, 8, 8],
      ["n", "h", "w"],
    ],
  ])("shape %j fits %j", (shape, input) => {
    const size = shape.reduce((a, b) => a * b, 1);
    const data = createDataset({ x: tensor("f32", shape, count(size)) }, [
      { name: "x", dtype: "f32", shape: input },
    ]);
    const [batch] = all(data.batches(3), "x");
    expect(batch!.shape).toHaveLength(input.length);
    expect([...batch!.data]).toEqual([...count(size)]);
  });

  test.each([
    ["a missing array", { other: tensor("f32", [1], [0]) }, /no array.*"image".*got "other"/],
    ["a shape", { image: tensor("f32", [2, 3], count(6)) }, /expected \[samples, 2, 2, 3\], got \[2, 3\]/],
    ["a type", { image: tensor("u8", [1, 2, 2, 3], count(12)) }, /expected f32, got u8.*normalize/],
    ["a scalar", { image: tensor("f32", [], [1]) }, /first dimension must count samples/],
  ])("%s that does not fit is named", (_, arrays, message) => {
    expect(() => createDataset(arrays as Record<string, Tensor>, [image])).toThrow(message);
  });

  test("labels may be of any whole type, and must be one for each sample", () => {
    const inputs: Input[] = [{ name: "x", dtype: "f32", shape: ["n", 1] }];
    const arrays = { x: tensor("f32", [3, 1], count(3)) };
    const open = (labels: Tensor) => createDataset(arrays, inputs, { labels });
    expect(open(tensor("u8", [3], [1, 2, 3])).labels).toEqual(Int32Array.of(1, 2, 3));
    expect(open(tensor("f32", [3, 1], [1, 2, 3])).labels).toEqual(Int32Array.of(1, 2, 3));
    const { labels, targets } = open(tensor("f32", [3], [1, 2.5, -3]));
    expect([labels, targets]).toEqual([undefined, Float32Array.of(1, 2.5, -3)]);
    for (const lost of [NaN, Infinity])
      expect(() => open(tensor("f32", [3], [0, 0.5, lost]))).toThrow(
        `labels do not fit: expected numbers that f32 holds, got ${lost} at 2`,
      );
    const named = { labels: tensor("f32", [3], [0, 0.5, 1]), classes: ["a", "b"] };
    expect(() => createDataset(arrays, inputs, named)).toThrow(
      /labels do not fit: expected 0 to 1, got 0.5 at 1/,
    );
    expect(() => open(tensor("u8", [2], [1, 2]))).toThrow(/expected 3 in each, got 3 in "x", 2 in "labels"/);
    expect(() => open(tensor("u8", [3, 2], count(6)))).toThrow(/\[3, 2\]/);
  });

  test("a model that fixes its batch gets batches of just that size", () => {
    const inputs: Input[] = [{ name: "x", dtype: "f32", shape: [2, 1] }];
    const data = createDataset({ x: tensor("f32", [5, 1], count(5)) }, inputs);
    expect(() => [...data.batches(8)]).toThrow(/exactly 2 samples.*expected a multiple of 2 samples, got 5/);
    expect(data.sample(9, 0).count).toBe(4);
    expect(all(data.take(4).batches(8), "x").map((t) => t.shape)).toEqual([
      [2, 1],
      [2, 1],
    ]);
  });

  test("take and sample keep labels with their samples", () => {
    const data = createDataset(
      { x: tensor("f32", [100, 1], count(100)) },
      [{ name: "x", dtype: "f32", shape: ["n", 1] }],
      { labels: tensor("i32", [100], count(100)) },
    );
    const picked = data.sample(10, 7);
    const [batch] = all(picked.batches(100), "x");
    expect(picked.count).toBe(10);
    expect([...picked.labels!]).toEqual([...batch!.data]);
    expect(picked.labels).toEqual(data.sample(10, 7).labels);
    expect(picked.labels).not.toEqual(data.sample(10, 8).labels);
    expect([...data.take(3).labels!]).toEqual([0, 1, 2]);
    expect(data.sample(1000, 1).count).toBe(100);
  });
});

describe("parseNormalize", () => {
  test("numbers, fractions, channels and layout", () => {
    expect(parseNormalize("0.00392156862745098,0.1307,0.3081")).toEqual({
      layout: "nchw",
      scale: 0.00392156862745098,
      mean: [0.1307],
      std: [0.3081],
    });
    const cifar = parseNormalize("1/255, 0.4914:0.4822:0.4465, 0.2470:0.2435:0.2616, nhwc");
    expect(cifar).toEqual({
      layout: "nhwc",
      scale: 1 / 255,
      mean: [0.4914, 0.4822, 0.4465],
      std: [0.247, 0.2435, 0.2616],
    });
    expect(parseNormalize(formatNormalize(cifar))).toEqual(cifar);
  });

  test.each([
    "",
    "1",
    "1,2",
    "a,0,1",
    "1,,1",
    "1,0,0",
    "1/0,0,1",
    "1/2/3,0,1",
    "1,0:1,1:2:3",
    "1,0,1,hwc",
    "1,0,1,nchw,1",
  ])("%j is refused with the form it should have", (text) => {
    expect(() => parseNormalize(text)).toThrow(/normalize: cannot be read: expected scale,mean,std/);
  });
});

describe("sampleIndices", () => {
  test("indices are different, ascending, and spread over all of them", () => {
    for (const n of [0, 1, 3, 17]) {
      const picked = sampleIndices(17, n, 3);
      expect(new Set(picked).size).toBe(n);
      expect([...picked]).toEqual([...picked].sort((a, b) => a - b));
    }
    const counts = new Array(10).fill(0);
    for (let seed = 0; seed < 1000; seed++) for (const i of sampleIndices(10, 3, seed)) counts[i]++;
    for (const c of counts) expect(Math.abs(c - 300)).toBeLessThan(75); // 5 standard deviations
  });
});
