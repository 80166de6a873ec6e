// Streams: models whose states go in and out, frame after frame.

import { describe, expect, test } from "vitest";
import type { Graph } from "../../src/graph/graph";
import { type Tensor, tensor } from "../../src/graph/tensor";
import { load, loadSync, OctetteError, save } from "../../src/index";
import { toolkitOps } from "../../src/ops/toolkit";
import { simplify } from "../../src/passes/index";
import { GraphBuilder } from "../graph-builder";

const BANDS = 22;
const UNITS = 24;
const FRAMES = 1000;

/** A suppressor of noise: gains of bands by a GRU of two layers, as such models for voices have it. */
function suppressor(): Graph {
  const b = new GraphBuilder(3);
  const x = b.input("frame", [1, BANDS]);
  const states = [b.input("h1", [1, 1, UNITS]), b.input("h2", [1, 1, UNITS])];
  const axis = b.constant("axis", tensor("i32", [1], [0]));
  let value = b.node("Tanh", [b.node("MatMul", [x, b.floats("w0", [BANDS, UNITS], 0.5)], "dense")], "in");
  for (const [i, state] of states.entries()) {
    const weights = [
      b.floats(`w${i + 1}`, [1, 3 * UNITS, UNITS], 0.4),
      b.floats(`r${i + 1}`, [1, 3 * UNITS, UNITS], 0.4),
      b.floats(`b${i + 1}`, [1, 6 * UNITS], 0.2),
    ];
    const step = b.node("Unsqueeze", [value, axis], `step${i}`);
    b.multiple("GRU", [step, ...weights, "", state], [`all${i}`, `h${i + 1}n`], {
      hidden_size: UNITS,
      linear_before_reset: 1,
    });
    value = b.node("Squeeze", [`h${i + 1}n`, axis], `out${i}`);
  }
  const gains = b.node(
    "Sigmoid",
    [b.node("MatMul", [value, b.floats("w3", [UNITS, BANDS], 0.5)], "scores")],
    "gains",
  );
  b.node("Mul", [gains, x], "clean");
  return b.build("clean", "h1n", "h2n");
}

const sigmoid = (x: number) => 1 / (1 + Math.exp(-x));

/** One step of a GRU in doubles: h = (1 − z)·n + z·h, of ONNX's weights [z, r, n]. */
function gru({ constants }: Graph, layer: number, x: readonly number[], h: readonly number[]): number[] {
  const [w, r, b] = ["w", "r", "b"].map((name) => constants.get(`${name}${layer}`)!.data);
  const of = (m: ArrayLike<number>, row: number, v: readonly number[]) =>
    v.reduce((sum, value, k) => sum + m[row * UNITS + k]! * value, 0);
  return h.map((before, i) => {
    const at = (gate: number) => gate * UNITS + i;
    const [input, state] = [0, 1, 2].reduce<[number[], number[]]>(
      ([p, q], gate) => [
        [...p, of(w!, at(gate), x) + b![at(gate)]!],
        [...q, of(r!, at(gate), h) + b![3 * UNITS + at(gate)]!],
      ],
      [[], []],
    );
    const z = sigmoid(input![0]! + state![0]!);
    const n = Math.tanh(input![2]! + sigmoid(input![1]! + state![1]!) * state![2]!);
    return (1 - z) * n + z * before;
  });
}

/** What the suppressor gives, frame after frame. */
function oracle(graph: Graph): (x: ArrayLike<number>) => number[] {
  const product = (name: string, v: readonly number[], columns: number) =>
    Array.from({ length: columns }, (_, j) =>
      v.reduce((sum, value, k) => sum + value * graph.constants.get(name)!.data[k * columns + j]!, 0),
    );
  let states = [1, 2].map(() => new Array<number>(UNITS).fill(0));
  return (x) => {
    const frame = Array.from(x);
    const first = gru(graph, 1, product("w0", frame, UNITS).map(Math.tanh), states[0]!);
    states = [first, gru(graph, 2, first, states[1]!)];
    return product("w3", states[1]!, BANDS).map((score, i) => sigmoid(score) * frame[i]!);
  };
}

const written = suppressor();
const graph = simplify(written, toolkitOps);
const frameAt = (t: number) =>
  Float32Array.from({ length: BANDS }, (_, i) => Math.sin(t / 7 + i) * (1 + (t % 5)));
const furthest = (a: ArrayLike<number>, b: readonly number[]) =>
  b.reduce((most, value, i) => Math.max(most, Math.abs(value - a[i]!)), 0);

test("1 000 frames of a suppressor of noise are those of a GRU in doubles, without an array after the first", async () => {
  const model = await load(new Blob([save(graph)]));
  const stream = await model.stream();
  expect(stream.inputs.map(({ name }) => name)).toEqual(["frame"]);
  expect(stream.outputs.map(({ name }) => name)).toEqual(["clean"]);
  const expected = oracle(written);
  const clean = new Float32Array(BANDS);
  const frame = new Float32Array(BANDS);
  let most = 0;
  let bytes = 0;
  let arrays = 0;
  for (let t = 0; t < FRAMES; t++) {
    frame.set(frameAt(t));
    const results = stream.runSync({ frame }, { clean });
    expect(results.clean!.data).toBe(clean);
    expect(Object.keys(results)).toEqual(["clean"]);
    most = Math.max(most, furthest(clean, expected(frame)));
    if (t === 0) [bytes, arrays] = [model.bytes, process.memoryUsage().arrayBuffers];
  }
  expect(most).toBeLessThan(1e-4);
  expect(model.bytes).toBe(bytes);
  // A buffer for each frame's states alone would be 192 kB.
  expect(process.memoryUsage().arrayBuffers - arrays).toBeLessThan(FRAMES * UNITS * 4);
});

test("streams are reset, cloned and let go, each by itself", async () => {
  const model = loadSync(graph);
  const stream = await model.stream({ states: { h1: "h1n", h2: "h2n" } });
  const run = async (one: typeof stream, t: number) =>
    Array.from((await one.run({ frame: frameAt(t) })).clean!.data);
  const first = await run(stream, 0);
  const clone = stream.clone();
  const second = await run(stream, 1);
  await run(stream, 2);
  expect(await run(clone, 1)).toEqual(second);
  expect(second).not.toEqual(await run(await model.stream(), 1));
  stream.reset();
  expect(await run(stream, 0)).toEqual(first);
  stream.dispose();
  stream.dispose();
  await expect(run(stream, 1)).rejects.toThrow(expect.objectContaining({ code: "disposed" }));
  expect(() => stream.clone()).toThrow(OctetteError);
  expect(await run(clone, 2)).toHaveLength(BANDS);
});

/** A model that adds what it is fed to a state. */
function summing(
  input: string,
  output: string,
  shape: Tensor["shape"] | readonly ["batch", 2] = [1, 2],
): Graph {
  const b = new GraphBuilder();
  b.node("Add", [b.input("x", shape), b.input(input, shape)], output);
  b.node("Neg", [output], "y");
  return b.build("y", output);
}

describe("states are found", () => {
  test.each([
    ["h", "hn"],
    ["state", "stateN"],
    ["state", "new_state"],
    ["mem", "mem_next"],
    ["past_key", "present_key"],
    ["prev_h", "h"],
    ["cache_in", "cache_out"],
    ["in_hidden", "out_hidden"],
  ])("by their names, %s and %s", async (input, output) => {
    const stream = await loadSync(summing(input, output)).stream();
    const x = Float32Array.of(1, 2);
    expect([1, 2, 3].map(() => stream.runSync({ x }).y!.data[1])).toEqual([-2, -4, -6]);
  });

  test("of a batch that the first frame says", async () => {
    const stream = await loadSync(summing("h", "hn", ["batch", 2])).stream();
    const x = tensor("f32", [3, 2], [1, 2, 3, 4, 5, 6]);
    stream.runSync({ x });
    expect(stream.runSync({ x }).y!.data).toEqual(Float32Array.from(x.data, (value) => -2 * value));
    expect(() => stream.runSync({ x: tensor("f32", [1, 2], [1, 2]) })).toThrow(/disagree on "batch"/);
    stream.reset();
    expect(stream.runSync({ x: Float32Array.of(1, 2) }).y!.shape).toEqual([1, 2]);
  });

  test("that grow, as those of attention do", async () => {
    const b = new GraphBuilder();
    b.node("Concat", [b.input("past_x", ["past", 2]), b.input("x", [1, 2])], "present_x", { axis: 0 });
    b.node("ReduceSum", ["present_x"], "y", { axes: [0], keepdims: 0 });
    const stream = await loadSync(simplify(b.build("y", "present_x"), toolkitOps)).stream();
    const x = Float32Array.of(1, 2);
    expect([1, 2, 3, 4].map(() => stream.runSync({ x }).y!.data[1])).toEqual([2, 4, 6, 8]);
  });

  test.each([
    [
      "frames that look alike",
      "in_frame",
      "out_frame",
      {},
      /no input and output are known to be a state.*stream\(\{ states/s,
    ],
    ["no such input", "h", "hn", { states: { g: "hn" } }, /no such input.*got "g"/s],
    ["no such output", "h", "hn", { states: { h: "g" } }, /no such output.*got "g"/s],
    ["none", "h", "hn", { states: {} }, /there are none/],
    ["one output twice", "h", "hn", { states: { h: "hn", x: "hn" } }, /two states have one output/],
    ["an option that there is not", "h", "hn", { state: {} }, /state/],
  ] as const)("or asked for: %s", async (_, input, output, options, message) => {
    await expect(loadSync(summing(input, output)).stream(options as object)).rejects.toThrow(
      expect.objectContaining({ code: "argument", message: expect.stringMatching(message) }),
    );
  });

  test("and are not fed, nor written elsewhere", async () => {
    const stream = await loadSync(summing("h", "hn")).stream();
    const x = Float32Array.of(1, 2);
    expect(() => stream.runSync({ x, h: x })).toThrow(/"h" is a state, which the stream keeps/);
    expect(() => stream.runSync({ x }, { hn: x })).toThrow(/"hn" is a state/);
    expect(() => stream.runSync({})).toThrow(/input "x".*is missing/s);
  });

  test("of two outputs for one input, and of other types, are refused", async () => {
    const b = new GraphBuilder();
    b.node("Add", [b.input("x", [1, 2]), b.input("h", [1, 2])], "hn");
    b.node("Neg", ["hn"], "new_h");
    await expect(loadSync(b.build("hn", "new_h")).stream()).rejects.toThrow(
      /which output is which state is not clear/,
    );
    const other = new GraphBuilder();
    other.node("Add", [other.input("x", [1, 2]), other.input("h", [1, 1])], "hn");
    const model = loadSync(other.build("hn"));
    await expect(model.stream()).rejects.toThrow(/no input and output/);
    await expect(model.stream({ states: { h: "hn" } })).rejects.toThrow(
      /not as the input.*"h" f32 \[1, 1\].*"hn" f32 \[1, 2\]/s,
    );
  });
});
