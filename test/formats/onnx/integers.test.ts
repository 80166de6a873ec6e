// Integers that a file has and octette's dtypes have not: of 64, 16 and 4 bits. What they mean comes out, or an error.

import { describe, expect, test } from "vitest";
import { readOnnx } from "../../../src/formats/onnx/import";
import { type Tensor, tensor } from "../../../src/graph/tensor";
import { toolkitOps } from "../../../src/ops/toolkit";
import { simplifyImported } from "../../../src/passes/index";
import { withModel } from "../../engine/engines";
import { type FileModel, type FileNode, onnxFile, type RawTensor } from "./model-file";

const [FLOAT, INT16, INT32, INT64, UINT16, UINT32, UINT64, UINT4, INT4] = [1, 5, 6, 7, 4, 12, 13, 21, 22];

const int64 = (...values: (number | bigint)[]): RawTensor => ({
  dataType: INT64,
  shape: [values.length],
  bytes: new Uint8Array(BigInt64Array.from(values, BigInt).buffer),
});
const LARGEST = 2n ** 63n - 1n;

const read = (model: FileModel) => simplifyImported(readOnnx(onnxFile(model)), toolkitOps);
const node = (op: string, inputs: string[], output: string, attributes: FileNode["attributes"] = {}) => ({
  op,
  inputs,
  outputs: [output],
  attributes,
});
const run = (model: FileModel, x: Tensor) => withModel(read(model), {}, (loaded) => loaded.runSync({ x }).y!);

describe("int64 beyond 32 bits", () => {
  const x = tensor("f32", [4], [1, 2, 3, 4]);
  const inputs = [{ name: "x", shape: [4] }];
  const initializers = {
    zero: int64(0),
    one: int64(1),
    shape: int64(1, 1),
    largest: int64(LARGEST),
    smallest: int64(-(2n ** 63n)),
    wide: int64(2n ** 33n),
    step: int64(-1),
    five: int64(5),
  };
  const slice = (starts: string, ends: string, steps = "one"): FileNode =>
    node("Slice", ["x", starts, ends, "zero", steps], "y");

  test.each<[string, readonly FileNode[], readonly number[]]>([
    ["bounds of a Slice", [slice("one", "largest")], [2, 3, 4]],
    ["bounds of a Slice backwards", [slice("largest", "smallest", "step")], [4, 3, 2, 1]],
    [
      "bounds that are moved first",
      [
        node("Unsqueeze", ["largest", "zero"], "more"),
        node("Squeeze", ["more", "zero"], "less"),
        node("Concat", ["less"], "end", { axis: 0 }),
        slice("one", "end"),
      ],
      [2, 3, 4],
    ],
    ["a Min beside a number", [node("Min", ["largest", "five"], "end"), slice("one", "end")], [2, 3, 4]],
    [
      "a Max beside a number",
      [node("Max", ["smallest", "one"], "start"), slice("start", "largest")],
      [2, 3, 4],
    ],
  ])("as %s", (_, nodes, expected) => {
    expect([...run({ nodes, inputs, initializers }, x).data]).toEqual(expected);
  });

  test("as a NonMaxSuppression of any number of boxes", () => {
    const boxes = tensor("f32", [1, 2, 4], [0, 0, 1, 1, 2, 2, 3, 3]);
    const model = {
      nodes: [node("NonMaxSuppression", ["x", "scores", "largest"], "y")],
      inputs: [{ name: "x", shape: [1, 2, 4] }],
      initializers: { ...initializers, scores: tensor("f32", [1, 1, 2], [0.5, 0.75]) },
    };
    expect([...run(model, boxes).data]).toEqual([0, 0, 1, 0, 0, 0]);
  });

  test.each<[string, readonly FileNode[]]>([
    [
      "Div",
      [
        node("Div", ["wide", "five"], "k"),
        node("Cast", ["k"], "f", { to: FLOAT }),
        node("Add", ["x", "f"], "y"),
      ],
    ],
    [
      "Mul",
      [
        node("Mul", ["wide", "zero"], "k"),
        node("Cast", ["k"], "f", { to: FLOAT }),
        node("Add", ["x", "f"], "y"),
      ],
    ],
    [
      "Max",
      [
        node("Max", ["wide", "five"], "k"),
        node("Cast", ["k"], "f", { to: FLOAT }),
        node("Add", ["x", "f"], "y"),
      ],
    ],
    ["Cast", [node("Cast", ["wide"], "k", { to: INT32 }), slice("one", "k")]],
    ["Cast", [node("Cast", ["wide"], "f", { to: FLOAT }), node("Add", ["x", "f"], "y")]],
    ["Mod", [node("Identity", ["wide"], "same"), node("Mod", ["same", "five"], "k"), slice("one", "k")]],
    ["Range", [node("Range", ["wide", "largest", "one"], "k"), slice("one", "k")]],
    ["outputs", [node("Identity", ["wide"], "y")]],
    ["outputs", [node("ConstantOfShape", ["shape"], "y", { value: int64(2n ** 40n) })]],
  ])("refused by %s", (where, nodes) => {
    expect(() => read({ nodes, inputs, initializers })).toThrow(
      new RegExp(`${where}.*holds integers beyond 32 bits`),
    );
  });

  test.each<[string, readonly FileNode[]]>([
    ["Mul", [node("Mul", ["a", "b"], "y")]],
    ["Add", [node("Add", ["c", "c"], "y")]],
    ["Mul", [node("Mul", ["a", "b"], "ab"), node("Div", ["ab", "a"], "k"), node("Add", ["k", "five"], "y")]],
    [
      "Range",
      [node("Add", ["c", "one"], "k"), node("Range", ["c", "k", "a"], "m"), node("Add", ["m", "five"], "y")],
    ],
  ])("results of %s beyond 32 bits are refused", (_, nodes) => {
    const large = { ...initializers, a: int64(70_000), b: int64(70_000), c: int64(2 ** 31 - 2) };
    expect(() => run({ nodes, inputs, initializers: large }, x)).toThrow(/does not fit i32/);
  });
});

describe("a Cast to integers that octette holds in a wider type", () => {
  const values = [70_000, -1, 40_000, -32_769, 3, 12];
  const bits = { [INT16]: [16, 1], [UINT16]: [16, 0], [INT4]: [4, 1], [UINT4]: [4, 0] } as const;

  test.each(Object.entries(bits))("data type %s keeps the low bits", (to, [size, isSigned]) => {
    const nodes = [
      node("Cast", ["k"], "narrow", { to: Number(to) }),
      node("Cast", ["narrow"], "real", { to: FLOAT }),
      node("Add", ["x", "real"], "y"),
    ];
    const y = run(
      { nodes, inputs: [{ name: "x", shape: [values.length] }], initializers: { k: int64(...values) } },
      tensor("f32", [values.length], []),
    );
    const expected = values.map((value) => {
      let low = value;
      while (low < (isSigned ? -(2 ** (size - 1)) : 0)) low += 2 ** size;
      while (low >= 2 ** (isSigned ? size - 1 : size)) low -= 2 ** size;
      return low;
    });
    expect([...y.data]).toEqual(expected);
  });

  test.each([UINT32, UINT64])("data type %i has no negative numbers", (to) => {
    const cast = (...k: number[]): FileModel => ({
      nodes: [
        node("Cast", ["k"], "unsigned", { to }),
        node("Cast", ["unsigned"], "real", { to: FLOAT }),
        node("Add", ["x", "real"], "y"),
      ],
      inputs: [{ name: "x", shape: [2] }],
      initializers: { k: int64(...k) },
    });
    const x = tensor("f32", [2], [0.5, 0.5]);
    expect([...run(cast(7, 9), x).data]).toEqual([7.5, 9.5]);
    expect(() => run(cast(7, -1), x)).toThrow(/Cast/);
  });

  test.each([INT16, UINT16, UINT32, UINT64])("sums of inputs of data type %i are refused", (type) => {
    const inputs = ["x", "b"].map((name) => ({ name, shape: [3], type }));
    const model = { nodes: [node("Sub", ["x", "b"], "y")], inputs };
    expect(() => read(model)).toThrow(/Sub.*"x" holds integers of a type that octette does not compute with/);
  });

  test("of a computed value keeps the low bits", () => {
    const nodes = [node("Cast", ["x"], "y", { to: INT16 })];
    const model = { nodes, inputs: [{ name: "x", shape: [3], type: INT64 }] };
    expect([...run(model, tensor("i32", [3], [70_000, 1, 40_000])).data]).toEqual([4464, 1, -25_536]);
  });

  test("of a float beyond 32 bits is refused", () => {
    const nodes = [node("Cast", ["k"], "whole", { to: INT64 }), slice3()];
    const model = {
      nodes,
      inputs: [{ name: "x", shape: [3] }],
      initializers: { k: tensor("f32", [1], [3e9]) },
    };
    expect(() => run(model, tensor("f32", [3], []))).toThrow(/Cast|Slice/);
    function slice3(): FileNode {
      return node("Slice", ["x", "whole", "whole"], "y");
    }
  });
});

describe("QuantizeLinear to 4 bits", () => {
  const values = [
    -Infinity,
    -9,
    -0.85,
    -0.8,
    -0.75,
    -0.05,
    0,
    0.05,
    0.15,
    0.65,
    0.7,
    0.75,
    1.5,
    1.55,
    9,
    Infinity,
  ];
  const nibble = (dataType: number, value: number): RawTensor => ({
    dataType,
    shape: [],
    bytes: Uint8Array.of(value & 15),
  });
  test.each([
    [INT4, undefined],
    [UINT4, undefined],
    [INT4, -3],
    [UINT4, 6],
  ])("data type %i, zero point %s", (dataType, zero) => {
    const scale = Math.fround(0.1);
    const nodes: FileNode[] = [
      node(
        "QuantizeLinear",
        zero === undefined ? ["x", "s"] : ["x", "s", "z"],
        "q",
        zero === undefined ? { output_dtype: dataType } : {},
      ),
      node("DequantizeLinear", zero === undefined ? ["q", "s"] : ["q", "s", "z"], "y"),
    ];
    const model: FileModel = {
      opset: 21,
      nodes,
      inputs: [{ name: "x", shape: [1, values.length] }],
      initializers: {
        s: tensor("f32", [], [scale]),
        ...(zero === undefined ? {} : { z: nibble(dataType, zero) }),
      },
    };
    const [lo, hi] = dataType === INT4 ? [-8, 7] : [0, 15];
    const expected = values.map((x) => {
      const real = Math.fround(Math.fround(x) / scale);
      // Half to even.
      const floor = Math.floor(real);
      const up = real - floor > 0.5 || (real - floor === 0.5 && floor % 2 !== 0);
      const code = Math.min(
        hi,
        Math.max(lo, (Number.isFinite(real) ? floor + (up ? 1 : 0) : real) + (zero ?? 0)),
      );
      return Math.fround((code - (zero ?? 0)) * scale);
    });
    expect([...run(model, tensor("f32", [1, values.length], values)).data]).toEqual(expected);
  });

  test("of one scale a channel, and to 16 bits, is refused", () => {
    const model = (attributes: FileNode["attributes"], scales: number[]): FileModel => ({
      opset: 21,
      nodes: [node("QuantizeLinear", ["x", "s"], "y", attributes)],
      inputs: [{ name: "x", shape: [1, 2] }],
      initializers: { s: tensor("f32", [scales.length], scales) },
    });
    expect(() => read(model({ output_dtype: INT4 }, [1, 2]))).toThrow(
      /codes of 4 bits have one constant scale/,
    );
    expect(() => read(model({ output_dtype: INT16 }, [1]))).toThrow(/its codes have 16 bits/);
  });
});

describe("integers of types that i32 does not wrap as", () => {
  const sub = (a: string, b: string, more: readonly FileNode[] = []): FileModel => ({
    nodes: [
      ...more,
      node("Sub", [a, b], "d"),
      node("Cast", ["d"], "f", { to: FLOAT }),
      node("Add", ["x", "f"], "y"),
    ],
    inputs: [{ name: "x", shape: [1] }],
    initializers: {
      two: { dataType: UINT16, shape: [1], bytes: new Uint8Array(Uint16Array.of(2).buffer) },
      five: { dataType: UINT16, shape: [1], bytes: new Uint8Array(Uint16Array.of(5).buffer) },
    },
  });
  const x = tensor("f32", [1], [0.5]);

  test("are not computed with, at once or moved", () => {
    const message = "holds integers of a type that octette does not compute with: expected int32, or int64";
    expect(() => read(sub("two", "five"))).toThrow(message);
    expect(() => read(sub("moved", "five", [node("Identity", ["two"], "moved")]))).toThrow(message);
    const narrow = [
      node("Cast", ["two"], "wide", { to: INT64 }),
      node("Cast", ["wide"], "u", { to: UINT16 }),
    ];
    expect(() => read(sub("u", "u", narrow))).toThrow(message);
  });

  test("are computed with as int64", () => {
    const casts = ["two", "five"].map((name) => node("Cast", [name], `${name}64`, { to: INT64 }));
    expect([...run(sub("two64", "five64", casts), x).data]).toEqual([-2.5]);
  });
});

test.each([
  ["a constant", INT16, [4464, -1]],
  ["an input", INT16, [4464, -1]],
  ["a computed value", UINT16, [4464, 65535]],
])("CastLike keeps the bits of 16 that %s has", (how, type, expected) => {
  const isComputed = how === "a computed value";
  const inputs = [
    { name: "x", shape: [2], type: INT32 },
    ...(how === "a constant" ? [] : [{ name: "given", shape: [1], type: isComputed ? INT32 : type }]),
  ];
  const nodes = [
    ...(isComputed ? [node("Cast", ["given"], "like", { to: type })] : []),
    node("CastLike", ["x", how === "an input" ? "given" : "like"], "y"),
  ];
  const like = { dataType: type, shape: [1], bytes: new Uint8Array(2) };
  const initializers = how === "a constant" ? { like } : {};
  const graph = read({ opset: 19, nodes, inputs, initializers, outputs: [{ name: "y", type }] });
  const given = how === "a constant" ? {} : { given: tensor("i32", [1], [0]) };
  const { y } = withModel(graph, {}, (model) =>
    model.runSync({ x: tensor("i32", [2], [70000, -1]), ...given }),
  );
  expect([...y!.data]).toEqual(expected);
});
