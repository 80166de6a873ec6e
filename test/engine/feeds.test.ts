// What run() takes: tensors, bare elements, images of bytes; and what it says of anything else.

import { describe, expect, test } from "vitest";
import type { Feeds } from "../../src/engine/feeds";
import type { ModelOptions } from "../../src/engine/model";
import type { Graph, Preprocessing } from "../../src/graph/graph";
import type { Shape } from "../../src/graph/symbols";
import { type Tensor, tensor } from "../../src/graph/tensor";
import { convGraph, expectSameBytes } from "../check-model";
import { GraphBuilder } from "../graph-builder";
import { withModel } from "./engines";

/** Runs once and lets the model go. */
const run = (graph: Graph, feeds: Feeds, options: ModelOptions = {}) =>
  withModel(graph, options, (model) => model.runSync(feeds));

/** What is fed comes back. */
function echo(shape: Shape, dtype: "f32" | "i32" | "u8" = "f32"): Graph {
  const builder = new GraphBuilder();
  builder.node("Identity", [builder.input("x", shape, dtype)], "y");
  return builder.build("y");
}

describe("run() takes", () => {
  const graph = echo(["batch", 2]);
  const maxima = { batch: 4 };

  test("a tensor, or the bare elements where the shape follows from them", () => {
    const y = { dtype: "f32", shape: [2, 2] };
    const data = Float32Array.of(1, 2, 3, 4);
    expect(run(graph, { x: tensor("f32", [2, 2], data) }, { maxima }).y).toEqual({ ...y, data });
    expect(run(graph, { x: data }, { maxima }).y).toEqual({ ...y, data });
  });

  test("a Buffer where it takes bytes, and integers of any width that fit into i32", () => {
    expect(run(echo([3], "u8"), { x: Buffer.from([1, 2, 255]) }).y!.data).toEqual(Uint8Array.of(1, 2, 255));
    const integers = [
      BigInt64Array.of(-5n, 2n ** 31n - 1n),
      Int8Array.of(-5, 7),
      Uint8Array.of(5, 255),
      new Uint32Array([1, 2 ** 31 - 1]),
    ];
    for (const x of integers)
      expect(run(echo([2], "i32"), { x: x as BigInt64Array }).y!.data).toEqual(Int32Array.from(x, Number));
  });

  const matrix = tensor("f32", [2, 2], [1, 2, 3, 4]);
  const wrong: [string, Graph, unknown, RegExp][] = [
    ["nothing", graph, {}, /input "x": is missing: expected f32 \[batch, 2\]/],
    ["undefined", graph, { x: undefined }, /input "x": is missing/],
    ["another name", graph, { x: matrix, z: matrix }, /no input "z": expected "x"/],
    ["a name that objects have", { ...graph }, { x: matrix, constructor: matrix }, /no input "constructor"/],
    ["a plain array", graph, { x: [1, 2] }, /input "x": is neither a tensor nor a typed array.*got Array/],
    ["null", graph, { x: null }, /neither a tensor.*got Null/],
    ["a tensor without data", graph, { x: { dtype: "f32", shape: [1, 2] } }, /neither a tensor/],
    ["a tensor without a shape", graph, { x: { dtype: "f32", data: matrix.data } }, /neither a tensor/],
    ["a DataView", graph, { x: new DataView(new ArrayBuffer(8)) }, /neither a tensor/],
    [
      "another fixed dimension",
      graph,
      { x: tensor("f32", [2, 3], []) },
      /shape does not fit: expected f32 \[batch, 2\], got f32 \[2, 3\]/,
    ],
    ["another rank", graph, { x: tensor("f32", [2], []) }, /got f32 \[2\]/],
    [
      "negative dimensions",
      echo(["a", "b"]),
      { x: { dtype: "f32", shape: [-1, -4], data: new Float32Array(4) } },
      /got f32 \[-1, -4\]/,
    ],
    [
      "fewer elements than its shape says",
      graph,
      { x: { dtype: "f32", shape: [2, 2], data: new Float32Array(3) } },
      /got f32 \[2, 2\] with 3 elements/,
    ],
    ["a number of elements that no batch has", graph, { x: new Float32Array(3) }, /got 3 elements/],
    ["bare elements for two symbols", echo(["a", "b"]), { x: new Float32Array(4) }, /shape does not fit/],
    ["doubles for floats", graph, { x: new Float64Array(2) }, /element type does not fit.*got Float64Array/],
    ["bytes for floats", graph, { x: new Uint8Array(2) }, /element type does not fit.*got Uint8Array/],
    ["floats for integers", echo([1], "i32"), { x: Float32Array.of(0.5) }, /element type does not fit/],
    ["doubles for integers", echo([1], "i32"), { x: Float64Array.of(0.5) }, /element type does not fit/],
    ["an integer beyond 32 bits", echo([1], "i32"), { x: BigInt64Array.of(2n ** 31n) }, /32 bits/],
    ["an unsigned one beyond 31 bits", echo([1], "i32"), { x: new Uint32Array([2 ** 31]) }, /32 bits/],
  ];
  for (const [name, model, feeds, message] of wrong)
    test(`${name}: a typed error`, () => {
      const attempt = () => run(model, feeds as Feeds, { maxima });
      expect(attempt).toThrow(message);
      expect(attempt).toThrow(expect.objectContaining({ name: "OctetteError", code: "argument" }));
    });

  test("two inputs that disagree on a symbol: an error that names it", () => {
    const builder = new GraphBuilder();
    builder.node("Add", [builder.input("a", ["batch", 2]), builder.input("b", ["batch", 2])], "y");
    const feeds = { a: new Float32Array(2), b: new Float32Array(4) };
    expect(() => run(builder.build("y"), feeds, { maxima })).toThrow(
      /input "b": two inputs disagree on "batch": expected 1, got 2/,
    );
  });
});

describe("images of bytes are preprocessed", () => {
  const [n, c, h, w] = [3, 3, 4, 5] as const;
  const bytes = Uint8Array.from({ length: n * c * h * w }, (_, i) => (i * 71 + (i >> 3)) & 255);
  const preprocessings: [string, Preprocessing][] = [
    ["nchw, one mean and std", { layout: "nchw", scale: 1, mean: [127.5], std: [64] }],
    [
      "nchw, one a channel",
      { layout: "nchw", scale: 1 / 255, mean: [0.485, 0.456, 0.406], std: [0.229, 0.224, 0.225] },
    ],
    ["nhwc, one mean and std", { layout: "nhwc", scale: 1 / 255, mean: [0.5], std: [0.5] }],
    [
      "nhwc, one a channel",
      { layout: "nhwc", scale: 1 / 255, mean: [0.485, 0.456, 0.406], std: [0.229, 0.224, 0.225] },
    ],
  ];
  const plain = convGraph({ cin: c, cout: 4, k: 3, h, w });
  const withPreprocessing = (graph: Graph, preprocessing: Preprocessing): Graph => ({
    ...graph,
    inputs: graph.inputs.map((input) => ({ ...input, preprocessing })),
  });

  /** By the definition, index by index: `(byte · scale − mean[c]) / std[c]`, every step in f32. */
  function byHand({ layout, scale, mean, std }: Preprocessing): Tensor {
    const out = tensor("f32", [n, c, h, w], []);
    const f = Math.fround;
    let at = 0;
    for (let i = 0; i < n; i++)
      for (let k = 0; k < c; k++)
        for (let y = 0; y < h; y++)
          for (let x = 0; x < w; x++) {
            const from = layout === "nchw" ? ((i * c + k) * h + y) * w + x : ((i * h + y) * w + x) * c + k;
            const centred = f(f(bytes[from]! * scale) - f(mean[k % mean.length]!));
            out.data[at++] = f(centred / f(std[k % std.length]!));
          }
    return out;
  }

  for (const [name, preprocessing] of preprocessings)
    test(`${name}: as feeding the floats computed by hand`, () => {
      const graph = withPreprocessing(plain, preprocessing);
      const expected = run(plain, { x: byHand(preprocessing) }, { maxima: { batch: n } }).y!;
      const shape = preprocessing.layout === "nchw" ? [n, c, h, w] : [n, h, w, c];
      const feeds = [bytes, new Uint8ClampedArray(bytes), Buffer.from(bytes), tensor("u8", shape, bytes)];
      for (const maxima of [{ batch: n }, { batch: 2 }])
        for (const x of [...feeds, byHand(preprocessing)])
          expectSameBytes(run(graph, { x: x as Uint8Array }, { maxima }).y, expected, name);
    });

  test("wrong shapes are said in the layout they are wanted in", () => {
    const graph = withPreprocessing(plain, preprocessings[2]![1]);
    expect(() => run(graph, { x: tensor("u8", [1, c, h, w], []) })).toThrow(
      /expected u8 \[batch, 4, 5, 3\], got u8 \[1, 3, 4, 5\]/,
    );
  });

  test("mean and std that do not fit the channels are an error", () => {
    const graph = withPreprocessing(plain, { layout: "nchw", scale: 1, mean: [0, 0], std: [1] });
    expect(() => run(graph, { x: bytes })).toThrow(
      /input "x": its preprocessing does not fit.*one mean and std, or 3/,
    );
  });
});

describe("where it is of numbers, all that is fed is preprocessed", () => {
  const preprocessing: Preprocessing = { layout: "nchw", scale: 0.3, mean: [2], std: [7], of: "numbers" };
  const echoing = (shape: Shape, changes: Partial<Preprocessing> = {}): Graph => {
    const graph = echo(shape);
    return {
      ...graph,
      inputs: graph.inputs.map((input) => ({ ...input, preprocessing: { ...preprocessing, ...changes } })),
    };
  };
  const f = Math.fround;
  const normalized = (v: number, { scale, mean, std } = preprocessing) =>
    f(f(f(v * scale) - f(mean[0]!)) / f(std[0]!));

  test("floats and integers of any width, as bytes are, each step rounded to f32", () => {
    const numbers = [0, 1, 5, 100];
    const expected = Float32Array.from(numbers, (v) => normalized(v));
    const kinds = [
      Float32Array,
      Uint8Array,
      Uint8ClampedArray,
      Int8Array,
      Int16Array,
      Uint16Array,
      Int32Array,
      Uint32Array,
    ];
    for (const kind of kinds) {
      const x = kind.from(numbers) as Float32Array;
      expect(run(echoing([4]), { x }).y!.data, kind.name).toEqual(expected);
    }
    const floats = Float32Array.of(-1.5, 3.25, 1e30, Number.NaN);
    expect(run(echoing([4]), { x: floats }).y!.data).toEqual(Float32Array.from(floats, (v) => normalized(v)));
  });

  test("once: the numbers of a tensor that says so are the model's own", () => {
    const own = tensor("f32", [4], [0.5, -1, 3, 300]);
    expect(run(echoing([4]), { x: { ...own, normalized: true } }).y).toEqual(own);
    expect(run(echoing([4]), { x: { ...own, normalized: false } }).y!.data).toEqual(
      Float32Array.from(own.data, (v) => normalized(v)),
    );
  });

  test("in the layout of images, and by one mean and std a channel", () => {
    const perChannel = { mean: [1, 2, 3], std: [4, 5, 6] };
    const data = Float32Array.from({ length: 2 * 3 * 2 * 2 }, (_, i) => i * 1.5);
    const last = run(echoing(["batch", 3, 2, 2], { ...perChannel, layout: "nhwc" }), {
      x: tensor("f32", [2, 2, 2, 3], data),
    }).y!;
    const first = run(echoing(["batch", 3, 2, 2], perChannel), { x: tensor("f32", [2, 3, 2, 2], data) }).y!;
    for (const [i, value] of first.data.entries()) {
      const c = Math.floor(i / 4) % 3;
      const parts = { ...preprocessing, mean: [perChannel.mean[c]!], std: [perChannel.std[c]!] };
      expect(value).toBe(normalized(data[i]!, parts));
      const from = (Math.floor(i / 12) * 4 + (i % 4)) * 3 + c;
      expect(last.data[i]).toBe(normalized(data[from]!, parts));
    }
    expect(() =>
      run(echoing(["batch", 3, 2, 2], { layout: "nhwc" }), { x: tensor("f32", [1, 3, 2, 2], []) }),
    ).toThrow(/expected numbers \[batch, 2, 2, 3\], got f32/);
  });

  test("rows by one mean and std a column", () => {
    const [mean, std] = [
      [10, 20],
      [2, 4],
    ];
    for (const x of [Float32Array.of(12, 24, 8, 16), Uint8Array.of(12, 24, 8, 16)])
      expect(
        run(echoing(["batch", 2], { scale: 1, mean, std }), { x }, { maxima: { batch: 2 } }).y!.data,
      ).toEqual(Float32Array.of(1, 1, -1, -1));
    expect(() => run(echoing(["batch", 2], { mean: [1, 2, 3] }), { x: new Float32Array(2) })).toThrow(
      /one mean and std, or 2.*got 3 and 1/,
    );
  });

  test("doubles and wide integers are refused as ever", () => {
    for (const x of [new Float64Array(4), new BigInt64Array(4)])
      expect(() => run(echoing([4]), { x: x as BigInt64Array })).toThrow(/element type does not fit/);
  });
});
