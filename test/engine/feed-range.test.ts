// The warning of floats far outside the range that a model was calibrated for.

import { afterEach, beforeEach, describe, expect, type MockInstance, test, vi } from "vitest";
import { parseNormalize } from "../../src/data/normalize";
import { FAR, LOOKS } from "../../src/engine/feed-range";
import type { Graph, Preprocessing } from "../../src/graph/graph";
import { tensor } from "../../src/graph/tensor";
import { load, quantize, save } from "../../src/index";
import { GraphBuilder } from "../graph-builder";
import { withModel } from "./engines";

let warn: MockInstance<typeof console.warn>;
beforeEach(() => {
  warn = vi.spyOn(console, "warn").mockImplementation(() => {});
});
afterEach(() => warn.mockRestore());

const FEATURES = 300;

/** A layer on its input, or on what a Flatten makes of it, that was calibrated with numbers of 0 … `most`. */
async function calibrated(
  most = 1,
  { flat = false, preprocessing = undefined as Preprocessing | undefined } = {},
) {
  const b = new GraphBuilder(5);
  const x = b.input("x", flat ? ["batch", 3, FEATURES / 3] : ["batch", FEATURES]);
  const w = b.constant(
    "w",
    tensor(
      "f32",
      [2, FEATURES],
      Float32Array.from({ length: 2 * FEATURES }, (_, i) => Math.sin(i)),
    ),
  );
  b.node("Linear", [flat ? b.node("Flatten", [x], "rows", { axis: 1 }) : x, w], "y");
  const plain = b.build("y");
  const graph = preprocessing
    ? { ...plain, inputs: plain.inputs.map((input) => ({ ...input, preprocessing })) }
    : plain;
  const samples = Float32Array.from({ length: 64 * FEATURES }, (_, i) => (most * (i % 101)) / 100);
  const calibration = [
    {
      x: {
        ...tensor("f32", [64, ...graph.inputs[0]!.shape.slice(1).map(Number)], samples),
        normalized: true,
      },
    },
  ];
  return (await quantize(graph, { calibration })).graph;
}

const of = (value: number) => new Float32Array(FEATURES).fill(value);
const runs = (graph: Graph, ...feeds: (Float32Array | Uint8Array)[]) =>
  withModel(graph, {}, (model) => {
    for (const x of feeds) model.runSync({ x });
  });
const told = () => warn.mock.calls.map(([text]) => text);

describe("floats far outside the range of calibration", () => {
  test("are warned of once for a model, with the range and the way out", async () => {
    const graph = await calibrated();
    runs(graph, of(0), of(255), of(255));
    expect(told()).toEqual([
      'octette: input "x" has 255, far outside 0 … 1, its calibrated range. Feed numbers as it was calibrated with',
    ]);
    // Another model of the same graph, on the same engine.
    runs(graph, of(255));
    expect(told()).toHaveLength(1);
  });

  test("and what is no number", async () => {
    runs(await calibrated(), of(Number.NaN));
    expect(told()[0]).toMatch(/^octette: input "x" has NaN, far outside 0 … 1/);
  });

  test("below it, where one number in many is, and behind a Flatten", async () => {
    runs(await calibrated(1, { flat: true }), of(-255));
    expect(told()).toHaveLength(1);
    const few = of(0.5);
    for (let i = 0; i < FEATURES; i += 8) few[i] = 100;
    runs(await calibrated(), few);
    expect(told()).toHaveLength(2);
  });

  test("in a file that was saved, by run() too", async () => {
    const model = await load(save(await calibrated()));
    await model.run({ x: of(16) });
    model.dispose();
    expect(told()).toHaveLength(1);
  });

  test("the way out is that of the input's preprocessing", async () => {
    runs(await calibrated(1, { preprocessing: parseNormalize("1/255,0,1") }), of(255));
    expect(told()[0]).toMatch(/Feed bytes \(u8\)$/);
    runs(await calibrated(1, { preprocessing: parseNormalize("1/4,0,1,numbers") }), of(4), of(255));
    expect(told()[1]).toMatch(/has 63.75, far outside 0 … 1,.*Feed numbers as it was calibrated with$/);
    expect(told()).toHaveLength(2);
  });
});

describe("there is no warning", () => {
  test("of numbers in the range, or some widths of it beyond", async () => {
    runs(await calibrated(8), of(8), of(8 + 8 * (FAR - 0.1)), of(-8 * (FAR - 0.1)));
    expect(told()).toEqual([]);
    runs(await calibrated(8), of(8 + 8 * (FAR + 0.1)));
    expect(told()).toHaveLength(1);
  });

  test("of bytes", async () => {
    runs(
      await calibrated(1 / 16, { preprocessing: parseNormalize("1,0,1") }),
      new Uint8Array(FEATURES).fill(255),
    );
    expect(told()).toEqual([]);
  });

  test("in the self-test of a model with a small range", async () => {
    save(await calibrated(1e-4));
    expect(told()).toEqual([]);
  });

  test("where the model is float, or finds its ranges at run time", async () => {
    const b = new GraphBuilder(6);
    const w = b.constant("w", tensor("f32", [2, FEATURES], new Float32Array(2 * FEATURES).fill(0.1)));
    b.node("Linear", [b.input("x", ["batch", FEATURES]), w], "y");
    const float = b.build("y");
    runs(float, of(1e9));
    runs((await quantize(float, { mode: "dynamic" })).graph, of(1e9));
    expect(told()).toEqual([]);
  });

  test("after the first runs", async () => {
    runs(await calibrated(), ...Array.from({ length: LOOKS }, () => of(1)), of(255));
    expect(told()).toEqual([]);
  });
});
