// Windows of an image of any size that is padded, shifted, taken apart, put together and cut, stage after stage, as in Swin: sizes of all
// stages stay short, and every size gives what plain loops give.

import { expect, test } from "vitest";
import { tensor } from "../../src/graph/tensor";
import { toolkitOps as registry } from "../../src/ops/toolkit";
import { simplify } from "../../src/passes/index";
import { GraphBuilder } from "../graph-builder";
import { withModel } from "./engines";

const WINDOW = 4;
const STAGES = 4;
const SHIFT = WINDOW / 2;
/** What elements of a window are multiplied by. */
const weights = Array.from({ length: WINDOW * WINDOW }, (_, i) => (i % 5) - 2);

const ints = (...values: number[]) => tensor("i32", [values.length], values);

/** The graph, in which sizes are computed as exporters write it. */
function build(isShiftComputed: boolean) {
  const b = new GraphBuilder();
  let count = 0;
  const add = (op: string, inputs: readonly string[], attributes = {}) =>
    b.node(op, inputs, `${op}_${count++}`, attributes);
  const number = (...values: number[]) => b.constant(`ints_${count++}`, ints(...values));
  const sizeOf = (x: string, axis: number) =>
    add("Slice", [add("Shape", [x]), number(axis), number(axis + 1), number(0)]);
  const slice = (x: string, axis: number, from: string, to: string, step = 1) =>
    add("Slice", [x, from, to, number(axis), number(step)]);
  const end = 0x7fffffff;
  const roll = (x: string, axis: number, by: number) => {
    const size = sizeOf(x, axis);
    const at = isShiftComputed ? add("Mod", [number(Math.abs(by)), size]) : number(Math.abs(by));
    const start = by < 0 ? at : isShiftComputed ? add("Sub", [size, at]) : number(-by);
    const parts = [slice(x, axis, start, number(end)), slice(x, axis, number(0), start)];
    return add("Concat", parts, { axis });
  };
  const padded = (x: string, multiple: number) => {
    const more = [0, 1].map((axis) =>
      add("Mod", [
        add("Sub", [number(multiple), add("Mod", [sizeOf(x, axis), number(multiple)])]),
        number(multiple),
      ]),
    );
    return add("Pad", [x, add("Concat", [number(0, 0), ...more], { axis: 0 })]);
  };
  let x = b.input("x", ["height", "width"]);
  for (let stage = 0; stage < STAGES; stage++) {
    const whole = padded(x, WINDOW);
    const [rows, cols] = [0, 1].map((axis) => sizeOf(whole, axis)) as [string, string];
    const [down, across] = [rows, cols].map((size) => add("Div", [size, number(WINDOW)])) as [string, string];
    const shifted = roll(roll(whole, 0, -SHIFT), 1, -SHIFT);
    const apart = add("Concat", [down, number(WINDOW), across, number(WINDOW)], { axis: 0 });
    const windows = add("Transpose", [add("Reshape", [shifted, apart])], { perm: [0, 2, 1, 3] });
    const flat = add("Reshape", [windows, number(-1, WINDOW * WINDOW)]);
    const weight = b.constant(`weights_${stage}`, tensor("f32", [WINDOW * WINDOW], weights));
    const scaled = add("Mul", [flat, weight]);
    const back = add("Concat", [down, across, number(WINDOW), number(WINDOW)], { axis: 0 });
    const turned = add("Transpose", [add("Reshape", [scaled, back])], { perm: [0, 2, 1, 3] });
    const together = add("Reshape", [turned, add("Concat", [rows, cols], { axis: 0 })]);
    const unshifted = roll(roll(together, 0, SHIFT), 1, SHIFT);
    const cut = slice(slice(unshifted, 0, number(0), sizeOf(x, 0)), 1, number(0), sizeOf(x, 1));
    const even = padded(add("Add", [x, cut]), 2);
    x = slice(slice(even, 0, number(0), number(end), 2), 1, number(0), number(end), 2);
  }
  b.node("Identity", [x], "y");
  return simplify(b.build("y"), registry);
}

/** What it is of an image. */
function expected(image: number[][]): number[][] {
  let x = image;
  for (let stage = 0; stage < STAGES; stage++) {
    const over = (size: number) => Math.ceil(size / WINDOW) * WINDOW;
    const [height, width] = [over(x.length), over(x[0]!.length)];
    const at = (i: number, size: number) => ((i - SHIFT + size) % size) % WINDOW;
    const weightAt = (i: number, j: number) => weights[at(i, height) * WINDOW + at(j, width)]!;
    const y = x.map((row, i) => row.map((value, j) => value + value * weightAt(i, j)));
    x = y.filter((_, i) => i % 2 === 0).map((row) => row.filter((_, j) => j % 2 === 0));
  }
  return x;
}

test.each([
  ["a shift that is known", false],
  ["a shift that is computed of the size", true],
])("windows of images of any size, by %s", (_, isShiftComputed) => {
  const graph = build(isShiftComputed);
  // No size is left to the run.
  expect(graph.nodes.filter(({ op }) => op === "Bind")).toEqual([]);
  const dims = graph.nodes.flatMap(({ attributes }) => Object.values(attributes).flat());
  expect(Math.max(...dims.map((dim) => `${dim}`.length))).toBeLessThan(1000);
  withModel(graph, {}, (model) => {
    for (const [height, width] of [
      [16, 16],
      [7, 33],
      [1, 2],
      [40, 5],
      [16, 16],
    ] as const) {
      const image = Array.from({ length: height }, (_, i) =>
        Array.from({ length: width }, (_, j) => ((3 * i + 7 * j) % 11) - 5),
      );
      const { shape, data } = model.runSync({ x: tensor("f32", [height, width], image.flat()) }).y!;
      const rows = expected(image);
      expect(shape).toEqual([rows.length, rows[0]!.length]);
      expect([...data].map((value) => value + 0)).toEqual(rows.flat().map((value) => value + 0));
    }
  });
});
