// Windows of signals against their formulas in float64.

import { describe, expect, test } from "vitest";
import { tensor } from "../../../src/graph/tensor";
import { importOnnx, loadSync } from "../../../src/index";
import { onnxFile } from "./model-file";

const formulas: Readonly<Record<string, (turn: number) => number>> = {
  HannWindow: (turn) => 0.5 - 0.5 * Math.cos(turn),
  HammingWindow: (turn) => 25 / 46 - (21 / 46) * Math.cos(turn),
  BlackmanWindow: (turn) => 0.42 - 0.5 * Math.cos(turn) + 0.08 * Math.cos(2 * turn),
};

const fileOf = (op: string, attributes: Readonly<Record<string, number>>, size = 17) =>
  onnxFile({
    opset: 17,
    nodes: [
      { op, inputs: ["size"], outputs: ["window"], attributes },
      { op: "Mul", inputs: ["x", "window"], outputs: ["y"] },
    ],
    inputs: [{ name: "x", shape: [size] }],
    outputs: ["y"],
    initializers: { size: tensor("i32", [], [size]) },
  });

describe.each(Object.entries(formulas))("%s", (op, formula) => {
  test.each([
    [17, 1, 17],
    [17, 0, 16],
    [400, 1, 400],
  ])("of %i, periodic %i", (size, periodic, turns) => {
    const model = loadSync(importOnnx(fileOf(op, { periodic }, size)));
    const { data } = model.runSync({ x: new Float32Array(size).fill(1) }).y!;
    for (let i = 0; i < size; i++) expect(data[i]).toBeCloseTo(formula((2 * Math.PI * i) / turns), 5);
    model.dispose();
  });

  test("before STFT", () => {
    const nodes = [
      { op, inputs: ["size"], outputs: ["window"] },
      { op: "STFT", inputs: ["x", "step", "window"], outputs: ["y"] },
    ];
    const initializers = { size: tensor("i32", [], [8]), step: tensor("i32", [], [4]) };
    const model = loadSync(
      importOnnx(onnxFile({ opset: 17, nodes, inputs: [{ name: "x", shape: [1, 20, 1] }], initializers })),
    );
    const { shape, data } = model.runSync({ x: new Float32Array(20).fill(1) }).y!;
    expect(shape).toEqual([1, 4, 5, 2]);
    const sum = Array.from({ length: 8 }, (_, i) => formula((2 * Math.PI * i) / 8)).reduce((s, v) => s + v);
    for (const frame of [0, 1, 2, 3]) expect(data[frame * 10]).toBeCloseTo(sum, 4);
    model.dispose();
  });

  test("of integers is refused", () => {
    const INT32 = 6;
    expect(() => importOnnx(fileOf(op, { output_datatype: INT32 }))).toThrow(/its elements are no floats/);
  });
});
