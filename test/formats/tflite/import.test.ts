// What an importer says of whole files: names, sizes that are open, orders of dimensions, and errors that name what does not fit.

import { describe, expect, test } from "vitest";
import { OctetteError } from "../../../src/errors";
import { tensor } from "../../../src/graph/tensor";
import { importOnnx, load, loadSync } from "../../../src/index";
import { importTflite } from "../../../src/tflite";
import { type FileGraph, type FileTensor, storedBytes, tfliteFile } from "./tflite-file";

const [ADD, CONV, DENSE, RESHAPE, RELU, CAST] = [0, 3, 9, 22, 19, 53];

const image = (name: string, shape: readonly number[], more: Partial<FileTensor> = {}): FileTensor => ({
  name,
  shape,
  ...more,
});

/** x [?, 4, 4, 3] → CONV_2D of single pixels → RELU → y. */
const small = (more: Partial<FileGraph> = {}): FileGraph => ({
  tensors: [
    image("x", [1, 4, 4, 3], { signature: [-1, 4, 4, 3] }),
    image("w", [2, 1, 1, 3], { data: [1, 2, 3, -1, -2, -3] }),
    image("b", [2], { data: [0.5, 0.25] }),
    image("conv", [1, 4, 4, 2], { signature: [-1, 4, 4, 2] }),
    image("y", [1, 4, 4, 2], { signature: [-1, 4, 4, 2] }),
  ],
  operators: [
    {
      code: CONV,
      inputs: [0, 1, 2],
      outputs: [3],
      options: { 0: { byte: 1 }, 1: { int: 1 }, 2: { int: 1 } },
    },
    { code: RELU, inputs: [3], outputs: [4] },
  ],
  inputs: [0],
  outputs: [4],
  ...more,
});

/** The error that an import ends in. */
function failure(run: () => unknown): OctetteError {
  try {
    run();
  } catch (error) {
    if (error instanceof OctetteError) return error;
    throw error;
  }
  return expect.fail("it was read");
}

const messageOf = (graph: FileGraph | readonly FileGraph[], version?: number) =>
  failure(() => importTflite(tfliteFile(graph, version), { name: "m.tflite" })).message;

describe("a graph", () => {
  test("keeps names and the order of dimensions, and its batch is open", () => {
    const graph = importTflite(tfliteFile(small()), { name: "small" });
    expect(graph.name).toBe("small");
    expect(graph.inputs).toEqual([{ name: "x", dtype: "f32", shape: ["batch", 4, 4, 3] }]);
    expect(graph.outputs).toEqual(["y"]);
    expect(graph.provenance).toEqual({ format: "tflite", producer: "made by a test" });
  });

  test("is run in any batch, and no step moves its images", () => {
    const model = loadSync(importTflite(tfliteFile(small())), { maxima: { batch: 2 } });
    expect(model.plan.steps.map(({ kernel }) => kernel)).toEqual(["gemm"]);
    const ones = tensor("f32", [2, 4, 4, 3], new Float32Array(96).fill(1));
    const { y } = model.runSync({ x: ones });
    expect(y!.shape).toEqual([2, 4, 4, 2]);
    expect(Array.from(y!.data.subarray(0, 4))).toEqual([6.5, 0, 6.5, 0]);
    model.dispose();
  });

  test("has a fixed batch where one is asked for", () => {
    const graph = importTflite(tfliteFile(small()), { symbols: { batch: 1 } });
    expect(graph.inputs[0]!.shape).toEqual([1, 4, 4, 3]);
    expect(failure(() => importTflite(tfliteFile(small()), { symbols: { rows: 1 } })).message).toMatch(
      /unknown symbol: expected batch, got rows/,
    );
  });

  test("may give an input, a constant or one value twice", () => {
    const model = loadSync(importTflite(tfliteFile(small({ outputs: [0, 4, 4] }))));
    const x = tensor("f32", [1, 4, 4, 3], new Float32Array(48).fill(1));
    const results = Object.values(model.runSync({ x }));
    expect(results.map(({ shape }) => shape)).toEqual([
      [1, 4, 4, 3],
      [1, 4, 4, 2],
      [1, 4, 4, 2],
    ]);
    expect(results[1]!.data).toEqual(results[2]!.data);
    model.dispose();
  });

  test("reads halves as floats, and int64 that fits", () => {
    const half = image("w", [2], { type: "f16", data: storedBytes("f16", [0x3c00, 0xc000]) });
    const graph = importTflite(
      tfliteFile({
        tensors: [
          image("x", [2, 1]),
          half,
          image("shape", [1], { type: "i64", data: [2] }),
          image("flat", [2]),
          image("y", [2]),
        ],
        operators: [
          { code: RESHAPE, inputs: [0, 2], outputs: [3] },
          { code: ADD, inputs: [3, 1], outputs: [4] },
        ],
        inputs: [0],
        outputs: [4],
      }),
    );
    const model = loadSync(graph);
    expect(Array.from(model.runSync({ x: Float32Array.of(5, 7) }).y!.data)).toEqual([6, 5]);
    model.dispose();
  });
});

describe("an error says", () => {
  test("every operator that is missing, and what it is for", () => {
    const graph = small({
      operators: [
        { code: CONV, inputs: [0, 1, 2], outputs: [3], options: {} },
        { code: "FlexErf", inputs: [3], outputs: [4] },
        { code: 131, inputs: [3], outputs: [4], version: 2 },
        { code: 250, inputs: [3], outputs: [4] },
      ],
    });
    expect(messageOf(graph)).toBe(
      'm.tflite: operators that octette does not have: got custom operator "FlexErf" for "y"; RFFT2D (version 2) for "y"; BUILTIN_250 (version 1) for "y". Cut the model before them, or write them with other operators when converting',
    );
  });

  test.each<[string, Partial<FileGraph>, RegExp]>([
    ["a tensor that nothing makes", { operators: [] }, /tensor "y" is produced by no earlier operator/],
    [
      "a tensor that is not there",
      { outputs: [9] },
      /a tensor is named that is not there: expected 0 to 4, got 9/,
    ],
    [
      "a tensor that is made twice",
      { operators: [...small().operators, small().operators[1]!] },
      /tensor "y" is made twice/,
    ],
    [
      "an operator without its input",
      { operators: [{ code: RELU, inputs: [], outputs: [4] }] },
      /RELU "y": input 0 is left out/,
    ],
    [
      "an operator without an output",
      { operators: [{ code: RELU, inputs: [0], outputs: [] }] },
      /output 0 is missing/,
    ],
    [
      "options of another operator",
      { operators: [{ code: CONV, inputs: [0, 1, 2], outputs: [4], options: {}, kind: 5 }] },
      /an operator has the options of another: expected kind 1, got 5/,
    ],
    [
      "an activation that is unknown",
      { operators: [{ code: ADD, inputs: [0, 0], outputs: [4], options: { 0: { byte: 5 } } }] },
      /ADD "y": its activation is unknown: got 5/,
    ],
  ])("%s", (_, more, message) => {
    expect(messageOf(small(more))).toMatch(message);
  });

  test.each<[string, FileTensor, RegExp]>([
    [
      "bytes that do not fill a shape",
      image("w", [2, 1, 1, 3], { data: [1, 2] }),
      /its bytes do not fill its shape: expected 24 for \[2, 1, 1, 3\], got 8/,
    ],
    [
      "a type without numbers",
      image("w", [6], { type: 5, data: new Uint8Array(24) }),
      /a type octette does not have: got STRING/,
    ],
    [
      "sparse weights",
      image("w", [2, 1, 1, 3], { data: [1, 2, 3, 4, 5, 6], isSparse: true }),
      /a sparse tensor: expected dense weights/,
    ],
    ["a shape below −1", image("w", [2, 1, -7, 3], { data: [1] }), /a tensor has a shape that is none/],
    [
      "an open constant",
      image("w", [2, 1, 1, 3], { data: [1, 2, 3, 4, 5, 6], signature: [-1, 1, 1, 3] }),
      /a constant without elements or of an open shape/,
    ],
    [
      "a scale of 0",
      image("w", [2, 1, 1, 3], { type: "i8", data: [1, 2, 3, 4, 5, 6], scale: [0], zeroPoint: [0] }),
      /a scale is a positive number/,
    ],
    [
      "a zero point that is no code",
      image("w", [2, 1, 1, 3], { type: "i8", data: [1, 2, 3, 4, 5, 6], scale: [1], zeroPoint: [300] }),
      /a zero point is a code: expected -128 to 127, got 300/,
    ],
    [
      "scales along no axis",
      image("w", [2, 1, 1, 3], {
        type: "i8",
        data: [1, 2, 3, 4, 5, 6],
        scale: [1, 1, 1],
        zeroPoint: [0, 0, 0],
      }),
      /3 scales and 3 zero points of i8 codes/,
    ],
  ])("%s", (_, w, message) => {
    const tensors = small().tensors.map((own) => (own.name === "w" ? w : own));
    expect(messageOf(small({ tensors }))).toMatch(message);
  });

  test("int64 that does not fit 32 bits", () => {
    const data = new Uint8Array(new BigInt64Array([2n ** 40n]).buffer);
    const big: FileGraph = {
      tensors: [image("x", [2]), image("shape", [1], { type: "i64", data }), image("y", [2])],
      operators: [{ code: RESHAPE, inputs: [0, 1], outputs: [2] }],
      inputs: [0],
      outputs: [2],
    };
    expect(messageOf(big)).toMatch(/tensor "shape": a number does not fit 32 bits/);
  });

  test("another schema, no graph, no file", () => {
    expect(messageOf(small(), 2)).toMatch(/is of another schema: expected version 3, got 2/);
    expect(messageOf([])).toMatch(/has no graph/);
    const zip = new TextEncoder().encode("PK\x03\x04 and more");
    expect(failure(() => importTflite(zip)).message).toMatch(/is no TensorFlow Lite model/);
    expect(failure(() => importTflite(new Uint8Array(3))).message).toMatch(/is no TensorFlow Lite model/);
  });

  test("that importOnnx reads no .tflite, and where it is read", async () => {
    const bytes = tfliteFile(small());
    const message = /is a TensorFlow Lite model, not one in ONNX format.*importTflite\(\) of octette\/tflite/;
    expect(failure(() => importOnnx(bytes)).message).toMatch(message);
    expect(failure(() => loadSync(bytes)).message).toMatch(message);
    const model = await load(bytes);
    expect(model.outputs.map(({ name }) => name)).toEqual(["y"]);
    model.dispose();
  });

  test("weights that are shuffled, and casts to no numbers", () => {
    const dense: FileGraph = {
      tensors: [image("x", [1, 2]), image("w", [1, 2], { data: [1, 2] }), image("y", [1, 1])],
      operators: [{ code: DENSE, inputs: [0, 1], outputs: [2], options: { 1: { byte: 1 } } }],
      inputs: [0],
      outputs: [2],
    };
    expect(messageOf(dense)).toMatch(/FULLY_CONNECTED "y": its weights are shuffled/);
    const cast: FileGraph = {
      tensors: [image("x", [1]), image("y", [1], { type: 8 })],
      operators: [{ code: CAST, inputs: [0], outputs: [1] }],
      inputs: [0],
      outputs: [1],
    };
    expect(messageOf(cast)).toMatch(/CAST "y": it makes elements of a type octette does not have/);
  });
});
