// Normalizations that become other operators when a file is read, run to the end.

import { expect, test } from "vitest";
import { importOnnx, loadSync } from "../../../src/index";
import { onnxFile } from "./model-file";

const shape = [2, 3, 2, 2];
const data = Float32Array.from({ length: 24 }, (_, i) => ((i * 7) % 11) / 4 - 1);

function run(
  op: string,
  attributes: Readonly<Record<string, number | readonly number[]>>,
  x = data,
): number[] {
  const graph = importOnnx(
    onnxFile({
      opset: 13,
      nodes: [{ op, inputs: ["x"], outputs: ["y"], attributes }],
      inputs: [{ name: "x", shape }],
      outputs: ["y"],
    }),
  );
  using model = loadSync(graph);
  return [...model.runSync({ x }).y!.data];
}

const strides = [12, 4, 2, 1];
const placeOf = (at: number, axis: number) => Math.floor(at / strides[axis]!) % shape[axis]!;
/** Elements that differ from the one at `at` in these axes alone. */
const besides = (at: number, axes: readonly number[]): number[] =>
  Array.from(data).filter((_, other) =>
    shape.every((_, axis) => axes.includes(axis) || placeOf(other, axis) === placeOf(at, axis)),
  );

function expectNear(got: readonly number[], expected: (at: number) => number): void {
  for (const [at, value] of got.entries()) expect(value).toBeCloseTo(expected(at), 5);
}

test.each([
  [1, 1],
  [2, -1],
])("LpNormalization of p = %i, axis %i", (p, axis) => {
  const axes = [axis < 0 ? axis + 4 : axis];
  const lengthAt = (at: number) => besides(at, axes).reduce((sum, v) => sum + Math.abs(v) ** p, 0) ** (1 / p);
  expectNear(run("LpNormalization", { p, axis }), (at) => data[at]! / lengthAt(at));
});

test("LpNormalization of zeros is zeros", () => {
  expect(run("LpNormalization", { axis: 1 }, new Float32Array(24))).toEqual(new Array(24).fill(0));
});

test("LpNormalization of another p is refused", () => {
  expect(() => run("LpNormalization", { p: 3 })).toThrow("p does not fit: expected 1 or 2, got 3");
});

test.each([[undefined], [[1, 2]]])("MeanVarianceNormalization over %o", (axes) => {
  const over = axes ?? [0, 2, 3];
  const statistics = (at: number) => {
    const all = besides(at, over);
    const mean = all.reduce((a, b) => a + b, 0) / all.length;
    return [mean, Math.sqrt(all.reduce((a, b) => a + (b - mean) ** 2, 0) / all.length)] as const;
  };
  expectNear(run("MeanVarianceNormalization", axes ? { axes } : {}), (at) => {
    const [mean, deviation] = statistics(at);
    return (data[at]! - mean) / (deviation + 1e-9);
  });
});
