// What the page decides without a browser: which control fits an input, what pixels and pasted rows become, what shares logits are.

import { expect, test } from "vitest";
import { learningOf } from "../../src/bundle/learning";
import { controlKindOf } from "../../src/bundle/page/kinds";
import { feedOf, levelsFor, prepared } from "../../src/bundle/page/pixels";
import { sharesOf } from "../../src/bundle/page/results";
import { readRows } from "../../src/bundle/page/rows";
import type { Input } from "../../src/graph/graph";
import type { DType } from "../../src/graph/tensor";
import { GraphBuilder } from "../graph-builder";

const input = (shape: Input["shape"], dtype: DType = "f32", name = "x"): Input => ({ name, dtype, shape });

test("inputs get the control that fits their shape, type and name", () => {
  const image = (channels: number, height: number, width: number, isLast = false, isAnySize = false) => ({
    ...{ kind: "image", channels, height, width, isLast, isAnySize },
  });
  const cases: [Input, object][] = [
    [input(["batch", 1, 8, 8]), image(1, 8, 8)],
    [input([1, 3, 224, 192]), image(3, 224, 192)],
    [input([1, 4, 32, 32], "u8"), image(4, 32, 32)],
    [input([1, 96, 96, 3], "i8"), image(3, 96, 96, true)],
    [input(["n", 3, "height", "width"]), image(3, 224, 224, false, true)],
    [input([3, 32, 32]), image(3, 32, 32)],
    [input([1, 64, 32]), { kind: "numbers" }],
    [input([1, 1, 32, 128]), image(1, 32, 128)],
    [input([1, 49, 10, 1]), { kind: "numbers" }],
    [input([1, 1, 40, 101], "f32", "log_mel"), { kind: "numbers" }],
    [input([1, 1, 40, 101], "f32", "caramel"), image(1, 40, 101)],
    [input([1, 1, 28, 28], "f32", "melon"), image(1, 28, 28)],
    [input([1, 3, 224, 224], "f32", "mel"), image(3, 224, 224)],
    [input([1, 1, 64, 64], "f32", "multispectral"), image(1, 64, 64)],
    [input([1, 1, 64, 64], "f32", "spectrogram"), { kind: "numbers" }],
    [input(["n", 1, "h", 32]), image(1, 224, 32)],
    [input([1, 2, 64, 64]), { kind: "numbers" }],
    [input([1, 3, 3, 3]), { kind: "numbers" }],
    [input([1, 16_000]), { kind: "sound", samples: 16_000 }],
    [input([1, 1, 512], "f32", "audio_frame"), { kind: "sound", samples: 512 }],
    [input([1, "samples"], "f32", "waveform"), { kind: "sound", samples: undefined }],
    [input(["batch", 6]), { kind: "vector", size: 6 }],
    [input([12]), { kind: "vector", size: 12 }],
    [input(["batch", 512]), { kind: "vector", size: 512 }],
    [input([1, "length"]), { kind: "numbers" }],
    [input([1, "length"], "i32"), { kind: "ids", size: undefined }],
    [input([1, 128], "i32"), { kind: "ids", size: 128 }],
    [input(["batch"], "bool"), { kind: "ids", size: undefined }],
  ];
  for (const [one, kind] of cases) expect({ one, kind: controlKindOf(one) }).toEqual({ one, kind });
});

/** Two pixels, a red and a blue one. */
const red = Uint8ClampedArray.of(255, 0, 0, 255, 0, 0, 51, 255);
const pixels = { width: 2, height: 1, data: red } as ImageData;
const kind = { kind: "image", channels: 3, height: 1, width: 2, isLast: false, isAnySize: false } as const;

test("pixels become the numbers and the layout that an input takes", () => {
  const [unit, signed] = [levelsFor({}, 3)[0]!, levelsFor({ range: [-1, 0.99] }, 3)[0]!];
  const of = (one: Input, channels: 1 | 3 = 3, isLast = false, levels = unit) => {
    const { dtype, shape, data } = feedOf(one, prepared(pixels, one, { ...kind, channels, isLast }), levels);
    return { dtype, shape, data: [...data] };
  };
  const whole = input(["batch", 3, 1, 2], "u8");
  const first = [255, 0, 0, 0, 0, 51];
  expect(of(whole)).toEqual({ dtype: "u8", shape: [1, 3, 1, 2], data: first });
  expect(of(input([1, 1, 2, 3], "i8"), 3, true)).toEqual({
    dtype: "i8",
    shape: [1, 1, 2, 3],
    data: [127, -128, -128, -128, -128, -77],
  });
  const bytes = { layout: "nchw", scale: 1 / 255, mean: [0.5], std: [0.5] } as const;
  const float = input(["batch", 3, 1, 2]);
  expect(of({ ...float, preprocessing: bytes })).toEqual({ dtype: "u8", shape: [1, 3, 1, 2], data: first });
  expect(of({ ...float, preprocessing: { ...bytes, layout: "nhwc" } })).toEqual({
    dtype: "u8",
    shape: [1, 1, 2, 3],
    data: [255, 0, 0, 0, 0, 51],
  });
  expect(of({ ...float, preprocessing: { ...bytes, of: "numbers" } }).data).toEqual(first);
  expect(of(float).data).toEqual([1, 0, 0, 0, 0, Math.fround(0.2)]);
  expect(of(float, 3, false, signed).data).toEqual([1, -1, -1, -1, -1, Math.fround(-0.6)]);
  const alpha = prepared(pixels, input([1, 4, 1, 2], "u8"), { ...kind, channels: 4 }, true);
  expect([...alpha.bytes]).toEqual([0, 255, 255, 255, 255, 204, 255, 255]);
  // Data of 0 … 16, as a scale of 1/16 has them; luma of red is 76, of this blue 6.
  const small = { ...bytes, scale: 1 / 16 };
  expect(of({ ...input(["batch", 1, 1, 2]), preprocessing: small }, 1).data).toEqual([5, 0]);
});

test("levels of floats are guessed from the range that calibration saw", () => {
  const guess = (range: readonly [number, number], channels = 3) => levelsFor({ range }, channels)[0]!.name;
  expect(guess([0, 1])).toBe("0 … 1");
  expect(guess([-1, 0.99])).toBe("−1 … 1");
  expect(guess([-2.1, 2.6])).toBe("ImageNet mean and deviation");
  expect(guess([0, 255])).toBe("0 … 255");
  expect(guess([-2.1, 2.6], 1)).toBe("−1 … 1");
});

test("rows are read as people paste them", () => {
  const rows = [
    [1, 2.5],
    [-3, 4],
  ];
  expect(readRows("1,2.5\n-3,4\n", 2)).toEqual({ rows });
  expect(readRows("1 2.5\r\n\r\n-3 4", 2)).toEqual({ rows });
  expect(readRows("a;kind;b\n1;x;2.5\n-3;y;4", 2)).toEqual({ names: ["a", "b"], rows });
  expect(readRows('"a"\tb\tlabel\n1\t2.5\t7\n-3\t4\t8', 2)).toEqual({ names: ["a", "b"], rows });
  expect(readRows("a;b\n1;2,5\n-3,0;4", 2)).toEqual({ names: ["a", "b"], rows });
  expect(() => readRows("1;2,5\n-3;1.234", 2)).toThrow('Row 2, column 2 is not a number: "1.234".');
  expect(readRows("x,y,label\n1,2.5,7\n-3,4,8", 2)).toEqual({ names: ["x", "y"], rows });
  expect(readRows("a,b,y\n1,2.5,7\n-3,4,8", 2)).toEqual({ names: ["a", "b"], rows });
  for (const label of ["label", "labels", "class", "target"]) {
    expect(() => readRows(`a,b,${label}\n1,2,0\n3,4,1`, 3)).toThrow(
      "takes 3 numbers, and the first row has 2",
    );
    expect(readRows(`a,b,category,${label}\n1,2,3,0`, 3)).toEqual({
      names: ["a", "b", "category"],
      rows: [[1, 2, 3]],
    });
  }
  expect(readRows("a,b,category\n1,2.5,7\n-3,4,8", 2)).toEqual({ names: ["a", "b"], rows });
  expect(() => readRows(" \n", 2)).toThrow("There are no numbers yet.");
  expect(() => readRows("1,2,3", 2)).toThrow("The model takes 2 numbers, and the first row has 3.");
  expect(() => readRows("1,2\n3,x", 2)).toThrow('Row 2, column 2 is not a number: "x".');
  expect(() => readRows("1,2\n3", 2)).toThrow('Row 2, column 2 is not a number: "".');
});

test("no number of a paste is dropped", () => {
  expect(() => readRows("1,5 2,5", 2)).toThrow("takes 2 numbers, and the first row has 3");
  expect(() => readRows("1,5 2,5", 3)).toThrow('Row 1, column 2 is not a number: "5 2".');
  expect(() => readRows("1;;3\n4;5;6", 3)).toThrow('Row 1, column 2 is not a number: "".');
  const rows = [
    [1, 2],
    [3, 4],
  ];
  expect(readRows("1;2;\n3;4;", 2)).toEqual({ rows });
  expect(readRows("a,b,\n1,2,\n3,4,", 2)).toEqual({ names: ["a", "b"], rows });
  expect(readRows("1;2\r3;4", 2)).toEqual({ rows });
  expect(readRows("0,1,label\n1,2,7\n3,4,8", 2)).toEqual({ names: ["0", "1"], rows });
});

test("a model without biases can learn; one number is not the scores of classes", () => {
  const graphOf = (outputs: number) => {
    const builder = new GraphBuilder();
    const x = builder.input("x", ["n", 2]);
    builder.node("Linear", [x, builder.floats("w", [outputs, 2], 1)], "y");
    return builder.build("y");
  };
  expect(learningOf(graphOf(1))).toMatch(/one number, not the scores/);
  expect(learningOf(graphOf(2))).toMatchObject({ ops: ["Linear"] });
});

test("shares are those of a softmax, or what already are shares", () => {
  expect(sharesOf({ dtype: "f32", data: Float32Array.of(0.25, 0.75) })).toEqual([0.25, 0.75]);
  const [a, b] = sharesOf({ dtype: "f32", data: Float32Array.of(1000, 1000 + Math.fround(Math.log(3))) });
  expect([a, b]).toEqual([expect.closeTo(0.25, 3), expect.closeTo(0.75, 3)]);
  expect(sharesOf({ dtype: "u8", data: Uint8Array.of(64, 192) })).toEqual([0.25, 0.75]);
  expect(sharesOf({ dtype: "i8", data: Int8Array.of(-64, 64) })).toEqual([0.25, 0.75]);
});
