// Operators of ONNX Runtime over codes against scalar loops: codes may differ by one where a rounding is close.

import { describe, expect, test } from "vitest";
import { readModel } from "../../../../src/formats/onnx/proto";
import { type Tensor, tensor } from "../../../../src/graph/tensor";
import { importOnnx } from "../../../../src/index";
import { onnxOf } from "../../../../src/toolkit/export-onnx";
import { toolkit } from "../../../../src/toolkit/toolkit";
import { forwardOf, rounded } from "../../../ops/recurrent/reference";
import { realOf } from "../../../reference/oracle";
import { structureOf } from "../../../same-graph";
import { attended, expectClose, floats, graphOf, headed, product, run, wholes } from "./reference";

const number = (value: number) => tensor("f32", [], [value]);

/** Codes of a type with a scale and a zero point; what they stand for. */
class Codes {
  readonly least: number;
  readonly constants: Readonly<Record<string, Tensor>>;
  readonly inputs: readonly string[];

  constructor(
    readonly dtype: "u8" | "i8",
    readonly name: string,
    readonly scale: number,
    readonly zero: number,
  ) {
    this.least = dtype === "u8" ? 0 : -128;
    this.constants = { [`${name}s`]: number(scale), [`${name}z`]: tensor(dtype, [], [zero]) };
    this.inputs = [name, `${name}s`, `${name}z`];
  }

  random = (shape: readonly number[]) => wholes(this.dtype, shape, 256, -this.least);
  reals = ({ data }: Tensor) => Array.from(data, (code) => (code - this.zero) * Math.fround(this.scale));
  code = (x: number) =>
    Math.min(Math.max(Math.round(x / Math.fround(this.scale)) + this.zero, this.least), this.least + 255);
}

function expectCodes(
  got: Tensor | undefined,
  to: Codes,
  shape: readonly number[],
  reals: readonly number[],
): void {
  expect([got?.dtype, got?.shape]).toEqual([to.dtype, shape]);
  const far = reals.map((x, i) => Math.abs(to.code(x) - got!.data[i]!));
  expect(Math.max(...far)).toBeLessThanOrEqual(1);
  expect(far.filter(Boolean).length).toBeLessThanOrEqual(1 + reals.length / 100);
}

const sigmoid = (x: number) => 1 / (1 + Math.exp(-x));

describe.each(["u8", "i8"] as const)("codes of %s", (dtype) => {
  const middle = dtype === "u8" ? 121 : 3;
  const a = new Codes(dtype, "a", 0.0207, middle);
  const b = new Codes(dtype, "b", 0.0131, middle - 9);
  const y = new Codes(dtype, "y", 0.0313, middle + 4);
  const both = { ...a.constants, ...b.constants, ...y.constants };
  const result = y.inputs.slice(1);
  const [x, w] = [a.random([3, 4, 5]), b.random([3, 4, 5])];
  const [p, q] = [a.reals(x), b.reals(w)];

  test.each<[string, (l: number, r: number) => number]>([
    ["QLinearAdd", (l, r) => l + r],
    ["QLinearMul", (l, r) => l * r],
  ])("%s", (op, f) => {
    const made = run({
      op,
      inputs: [...a.inputs, ...b.inputs, ...result],
      feeds: { a: x, b: w },
      constants: both,
    });
    expectCodes(
      made.y,
      y,
      x.shape,
      p.map((l, i) => f(l, q[i]!)),
    );
  });

  // Erf of GELU, plus 1: all sums lie between two codes.
  test.each([
    ["second", 4],
    ["second", 5],
    ["first", 5],
  ] as const)("QLinearAdd whose %s operand is one constant, to a zero point of %d: halves to even codes", (place, shift) => {
    const erf = new Codes(dtype, "a", 2 / 255, middle);
    const one = new Codes(dtype, "b", 1 / 255, a.least);
    const to = new Codes(dtype, "y", 2 / 255, a.least + shift);
    const every = Array.from({ length: 256 }, (_, i) => a.least + i);
    const b = tensor(dtype, [1], [a.least + 255]);
    const operands = place === "second" ? [...erf.inputs, ...one.inputs] : [...one.inputs, ...erf.inputs];
    const made = run({
      op: "QLinearAdd",
      inputs: [...operands, ...to.inputs.slice(1)],
      feeds: { a: tensor(dtype, [2, 128], every) },
      constants: { ...erf.constants, ...one.constants, ...to.constants, b },
    });
    const even = (half: number) => 2 * Math.round(half / 2);
    const expected = every.map((code) => even(code - middle + 127.5 + to.zero));
    const codes = expected.map((code) => Math.min(Math.max(code, to.least), to.least + 255));
    expect(made.y).toEqual(tensor(dtype, [2, 128], codes));
  });

  test.each<[string, Record<string, { float: number }>, (v: number) => number]>([
    ["QLinearSigmoid", {}, sigmoid],
    ["QLinearLeakyRelu", { alpha: { float: 0.25 } }, (v) => (v < 0 ? v / 4 : v)],
  ])("%s", (op, attributes, f) => {
    const feeds = { a: x };
    const made = run({ op, inputs: [...a.inputs, ...result], feeds, constants: both, attributes });
    expectCodes(made.y, y, x.shape, p.map(f));
  });

  test.each<[number, { axis?: number }]>([
    [11, { axis: 1 }],
    [13, { axis: 1 }],
    [11, {}],
    [13, {}],
  ])("QLinearSoftmax of opset %i, %j", (opset, axes) => {
    const to = new Codes(dtype, "y", 1 / 256, a.least);
    const constants = { ...a.constants, ...to.constants };
    const inputs = [...a.inputs, ...result];
    const made = run({
      op: "QLinearSoftmax",
      inputs,
      feeds: { a: x },
      constants,
      attributes: { ...axes, opset },
    });
    const parts = p.map((v) => Math.exp(v));
    const isBeside = (i: number, j: number) =>
      axes.axis === undefined
        ? Math.floor(i / 5) === Math.floor(j / 5)
        : Math.floor(i / 20) === Math.floor(j / 20) && (opset < 13 || i % 5 === j % 5);
    const sums = parts.map((_, i) => parts.reduce((sum, v, j) => (isBeside(i, j) ? sum + v : sum), 0));
    expectCodes(
      made.y,
      to,
      x.shape,
      parts.map((v, i) => v / sums[i]!),
    );
  });

  test("QLinearConcat", () => {
    const inputs = [...result, ...a.inputs, ...b.inputs];
    const made = run({
      op: "QLinearConcat",
      inputs,
      feeds: { a: x, b: w },
      constants: both,
      attributes: { axis: 2 },
    });
    const rows = Array.from({ length: 12 }, (_, i) => [
      ...p.slice(5 * i, 5 * i + 5),
      ...q.slice(5 * i, 5 * i + 5),
    ]);
    expectCodes(made.y, y, [3, 4, 10], rows.flat());
  });

  test("QLinearWhere", () => {
    const condition = wholes("bool", [3, 4, 5], 2);
    const inputs = ["if", ...a.inputs, ...b.inputs, ...result];
    const made = run({ op: "QLinearWhere", inputs, feeds: { if: condition, a: x, b: w }, constants: both });
    expectCodes(
      made.y,
      y,
      x.shape,
      p.map((v, i) => (condition.data[i] ? v : q[i]!)),
    );
  });

  test.each([
    0, 1,
  ])("QLinearAveragePool, QLinearGlobalAveragePool and NhwcMaxPool, channels last: %i", (channels_last) => {
    const image = a.random(channels_last ? [1, 4, 4, 3] : [1, 3, 4, 4]);
    const reals = a.reals(image);
    const at = (c: number, i: number, j: number) =>
      channels_last ? (i * 4 + j) * 3 + c : (c * 4 + i) * 4 + j;
    const windows = (size: number, n: number) =>
      Array.from({ length: 3 * n * n }, (_, o) => {
        const [c, i, j] = channels_last
          ? [o % 3, Math.floor(o / 3 / n), Math.floor(o / 3) % n]
          : [Math.floor(o / n / n), Math.floor(o / n) % n, o % n];
        return Array.from({ length: size * size }, (_, k) =>
          at(c, i * size + Math.floor(k / size), j * size + (k % size)),
        );
      });
    const mean = (of: readonly number[]) => of.reduce((sum, k) => sum + reals[k]!, 0) / of.length;
    const base = { inputs: [...a.inputs, ...result], feeds: { a: image }, constants: both };
    const shape = (n: number) => (channels_last ? [1, n, n, 3] : [1, 3, n, n]);
    const attributes = { kernel_shape: [2, 2], strides: [2, 2] };
    const means = run({ ...base, op: "QLinearAveragePool", attributes: { ...attributes, channels_last } });
    expectCodes(means.y, y, shape(2), windows(2, 2).map(mean));
    const all = run({ ...base, op: "QLinearGlobalAveragePool", attributes: { channels_last } });
    expectCodes(all.y, y, shape(1), windows(4, 1).map(mean));
    if (!channels_last) return;
    const most = run({ op: "NhwcMaxPool", inputs: ["a"], feeds: { a: image }, attributes });
    expect([...most.y!.data]).toEqual(windows(2, 2).map((of) => Math.max(...of.map((k) => image.data[k]!))));
  });

  test("a result without a zero point is refused", () =>
    expect(() =>
      graphOf({ op: "QLinearSigmoid", inputs: [...a.inputs, "ys"], feeds: { a: x }, constants: both }),
    ).toThrow(/the zero point of its result is left out/));

  const weights = wholes("i8", [20, 6], 255, 127);
  const scales = floats([6], 0.01);
  const columns = Array.from(weights.data, (code, i) => code * scales.data[i % 6]!);
  const known = { w: weights, ws: scales, wz: tensor("i8", [6], [0, 0, 0, 0, 0, 0]) };
  const rows = a.random([7, 20]);

  test("QGemm, to codes and to floats", () => {
    const c = wholes("i32", [6], 4000, 2000);
    const sums = product(a.reals(rows), columns, 20, 6).map(
      (sum, i) => sum + c.data[i % 6]! * Math.fround(0.0207) * scales.data[i % 6]!,
    );
    const base = { op: "QGemm", feeds: { a: rows }, constants: { ...both, ...known, c } };
    const inputs = [...a.inputs, "w", "ws", "wz", "c"];
    expectClose(run({ ...base, inputs }).y, [7, 6], sums);
    expectCodes(run({ ...base, inputs: [...inputs, ...result] }).y, y, [7, 6], sums);
  });

  test("MatMulIntegerToFloat with a bias", () => {
    const bias = floats([6]);
    const inputs = ["a", "w", "as", "ws", "az", "wz", "b"];
    const constants = { ...a.constants, ...known, b: bias };
    const { y: made } = run({ op: "MatMulIntegerToFloat", inputs, feeds: { a: rows }, constants });
    expectClose(
      made,
      [7, 6],
      product(a.reals(rows), columns, 20, 6).map((sum, i) => sum + bias.data[i % 6]!),
    );
  });
});

describe("floats whose codes a run finds", () => {
  test("DynamicQuantizeMatMul", () => {
    const [x, bias] = [floats([5, 20], 2), floats([6])];
    const weights = wholes("i8", [20, 6], 255, 127);
    const scales = tensor("f32", [6], [0.01, 0.02, 0.01, 0.03, 0.01, 0.01]);
    const { y } = run({
      op: "DynamicQuantizeMatMul",
      inputs: ["x", "w", "ws", "", "b"],
      feeds: { x },
      constants: { w: weights, ws: scales, b: bias },
    });
    const [lo, hi] = [Math.min(0, ...x.data), Math.max(0, ...x.data)];
    const scale = (hi - lo) / 255;
    const zero = Math.round(-lo / scale);
    const reals = Array.from(x.data, (v) => (Math.round(v / scale) + zero - zero) * scale);
    const columns = Array.from(weights.data, (code, i) => code * scales.data[i % 6]!);
    const sums = product(reals, columns, 20, 6).map((sum, i) => sum + bias.data[i % 6]!);
    expect(Math.max(...sums.map((sum, i) => Math.abs(sum - y!.data[i]!)))).toBeLessThan(0.05);
  });

  test.each([
    ["u8", 120, 240, 0],
    ["i8", 0, 255, 127],
  ] as const)("DynamicQuantizeLSTM of %s codes runs over codes", (dtype, zero, count, from) => {
    const [x, bias] = [floats([4, 1, 3]), floats([1, 16])];
    const [w, r] = [[3], [2]].map(([k]) => wholes(dtype, [1, k!, 8], count, from));
    const z = tensor(dtype, [1], [zero]);
    const s = tensor("f32", [1], [0.01]);
    const turned = ({ data, shape: [, k = 0] }: Tensor) => ({
      shape: [1, 8, k],
      data: Float64Array.from(
        { length: 8 * k },
        (_, i) => (data[(i % k) * 8 + Math.floor(i / k)]! - zero) * Math.fround(0.01),
      ),
    });
    const outputs = ["y", "h", "c"];
    const own = {
      op: "DynamicQuantizeLSTM",
      inputs: ["x", "w", "r", "b", "", "", "", "", "s", "z", "s", "z"],
      feeds: { x },
      constants: { w: w!, r: r!, b: bias, s, z },
      attributes: { hidden_size: 2 },
      outputs,
    };
    const made = run(own);
    const graph = graphOf(own);
    const file = onnxOf(graph, toolkit);
    expect(readModel(file).graph.nodes.map(({ opType }) => opType)).toEqual(["DynamicQuantizeLSTM"]);
    expect(structureOf(importOnnx(file))).toEqual(structureOf(graph));
    const codes = { shape: x.shape, data: Float64Array.from(rounded([...x.data])) };
    const node = { op: "LSTM", name: "", inputs: [], outputs, attributes: {} };
    const expected = forwardOf(node, [codes, turned(w!), turned(r!), realOf(bias)], (state) =>
      rounded(state),
    );
    for (const [i, name] of outputs.entries())
      expectClose(made[name], expected[i]!.shape, [...expected[i]!.data]);
  });

  test("DynamicQuantizeLSTM whose codes do not fit 8 bits less their zero points is the LSTM of its weights", () => {
    const [x, bias] = [floats([4, 2, 3]), floats([1, 16])];
    const [w, r] = [wholes("i8", [1, 3, 8], 255, 127), wholes("i8", [1, 2, 8], 255, 127)];
    const zero = tensor("i8", [1], [100]);
    const scale = tensor("f32", [1], [0.01]);
    const turned = ({ data, shape: [, k = 0] }: Tensor) =>
      tensor(
        "f32",
        [1, 8, k],
        Array.from(
          { length: 8 * k },
          (_, i) => (data[(i % k) * 8 + Math.floor(i / k)]! - 100) * Math.fround(0.01),
        ),
      );
    const outputs = ["y", "h", "c"];
    const attributes = { hidden_size: 2 };
    const made = run({
      op: "DynamicQuantizeLSTM",
      inputs: ["x", "w", "r", "b", "", "", "", "", "s", "z", "s", "z"],
      feeds: { x },
      constants: { w, r, b: bias, s: scale, z: zero },
      attributes,
      outputs,
    });
    const constants = { w: turned(w), r: turned(r), b: bias };
    const expected = run({
      op: "LSTM",
      domain: "",
      inputs: ["x", "w", "r", "b"],
      feeds: { x },
      constants,
      attributes,
      outputs,
    });
    for (const name of outputs) expectClose(made[name], expected[name]!.shape, [...expected[name]!.data]);
  });
});

test("QAttention", () => {
  const a = new Codes("u8", "x", 0.02, 120);
  const x = a.random([2, 3, 8]);
  const [weights, bias] = [wholes("i8", [8, 24], 255, 127), floats([24])];
  const scales = tensor(
    "f32",
    [24],
    Array.from({ length: 24 }, (_, i) => 0.002 + 0.0005 * i),
  );
  const { y } = run({
    op: "QAttention",
    inputs: ["x", "w", "b", "xs", "ws", "", "xz"],
    feeds: { x },
    constants: { ...a.constants, w: weights, b: bias, ws: scales },
    attributes: { num_heads: 2, unidirectional: 1 },
  });
  const columns = Array.from(weights.data, (code, i) => code * scales.data[i % 24]!);
  const all = product(a.reals(x), columns, 8, 24).map((v, i) => v + bias.data[i % 24]!);
  const part = (from: number) => all.filter((_, i) => i % 24 >= from && i % 24 < from + 8);
  const sizes = { batch: 2, heads: 2, groups: 2, tokens: 3, keys: 3, size: 4 };
  const [k, v] = [headed(part(8), 3, 2, 4), headed(part(16), 3, 2, 4)];
  const causal = (_: number, __: number, t: number, key: number) => (key > t ? -Infinity : 0);
  expectClose(y, [2, 3, 8], attended(sizes, part(0), k, v, causal));
});
