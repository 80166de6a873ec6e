// When run() reads its feeds and writes its outputs: at once, so that what a caller does to the arrays meanwhile changes nothing.

import { describe, expect, test } from "vitest";
import { OctetteError } from "../../src/errors";
import type { Graph } from "../../src/graph/graph";
import { tensor } from "../../src/graph/tensor";
import { loadSync, type Model, type ModelOptions, save, verify } from "../../src/index";
import { GraphBuilder } from "../graph-builder";

/** y = −x over [batch, 2]. */
const graph = ((): Graph => {
  const builder = new GraphBuilder();
  builder.node("Neg", [builder.input("x", ["batch", 2])], "y");
  return builder.build("y");
})();

async function withModel(
  graph: Graph,
  options: ModelOptions,
  use: (model: Model) => Promise<void>,
): Promise<void> {
  const model = loadSync(graph, options);
  try {
    await use(model);
  } finally {
    model.dispose();
  }
}

describe("feeds are read when run() is called", () => {
  test.each([
    ["whole", 2],
    ["cut into parts", 1],
  ])("%s", (_, batch) =>
    withModel(graph, { maxima: { batch } }, async (model) => {
      const frame = Float32Array.of(1, 2, 3, 4);
      const [bare, asTensor] = [model.run({ x: frame }), model.run({ x: tensor("f32", [2, 2], frame) })];
      const shared = { dtype: "f32", shape: [2, 2], data: frame } as const;
      const third = model.run({ x: shared });
      frame.fill(9);
      for (const outputs of await Promise.all([bare, asTensor, third]))
        expect(outputs.y!.data).toEqual(Float32Array.of(-1, -2, -3, -4));
    }));

  test("a buffer may be transferred, and the model disposed, while the promise is awaited", () =>
    withModel(graph, {}, async (model) => {
      const frame = Float32Array.of(1, 2);
      const outputs = model.run({ x: frame });
      structuredClone(frame.buffer, { transfer: [frame.buffer] });
      model.dispose();
      expect((await outputs).y!.data).toEqual(Float32Array.of(-1, -2));
      await expect(model.run({ x: Float32Array.of(1, 2) })).rejects.toMatchObject({ code: "disposed" });
    }));
});

describe("arrays of into", () => {
  test("two runs at once with one array: the second is an error, the first is right", () =>
    withModel(graph, {}, async (model) => {
      const into = { y: new Float32Array(2) };
      const [first, second] = await Promise.allSettled([
        model.run({ x: Float32Array.of(1, 2) }, into),
        model.run({ x: Float32Array.of(3, 4) }, into),
      ]);
      expect(first).toMatchObject({ status: "fulfilled", value: { y: { data: Float32Array.of(-1, -2) } } });
      const { reason } = second as PromiseRejectedResult;
      expect(reason).toBeInstanceOf(OctetteError);
      expect(reason.message).toMatch(/output "y": the array is in use by a run that was not awaited/);
      expect(into.y).toEqual(Float32Array.of(-1, -2));
      const pending = model.run({ x: Float32Array.of(5, 6) }, into);
      expect(() => model.runSync({ x: Float32Array.of(7, 8) }, into)).toThrow(OctetteError);
      expect((await pending).y!.data).toEqual(Float32Array.of(-5, -6));
    }));

  test("one behind the other they take the same array, as do runs of different ones at once", () =>
    withModel(graph, {}, async (model) => {
      const into = { y: new Float32Array(2) };
      for (let i = 0; i < 5; i++) {
        const { y } = await model.run({ x: Float32Array.of(i, 1) }, into);
        expect([y!.data === into.y, into.y[0]]).toEqual([true, -i]);
        model.runSync({ x: Float32Array.of(9, 9) }, into);
      }
      const others = [into, { y: new Float32Array(2) }, { y: undefined as never }];
      const all = await Promise.all(others.map((to, i) => model.run({ x: Float32Array.of(i, i) }, to)));
      expect(all.map(({ y }) => y!.data[0])).toEqual([-0, -1, -2]);
    }));
});

describe("what is no feed", () => {
  const gone = () => {
    const array = new Float32Array(2);
    structuredClone(array.buffer, { transfer: [array.buffer] });
    return array;
  };
  const cases: [string, () => unknown[], RegExp][] = [
    ["nothing", () => [], /run: feeds must be arrays by name: expected \{ x \}, got undefined/],
    ["null", () => [null], /got null/],
    ["an array alone", () => [Float32Array.of(1, 2)], /expected \{ x \}, got Float32Array/],
    ["null to write to", () => [{ x: Float32Array.of(1, 2) }, null], /expected \{ y \}, got null/],
    ["an array whose buffer is gone", () => [{ x: gone() }], /input "x": its buffer was transferred/],
    [
      "a tensor whose buffer is gone",
      () => [{ x: { dtype: "f32", shape: [1, 2], data: gone() } }],
      /transferred/,
    ],
    [
      "floats as i8",
      () => [{ x: { dtype: "i8", shape: [1, 2], data: Float32Array.of(1, 2) } }],
      /not of its dtype: expected i8, got Float32Array/,
    ],
    [
      "a type that is none",
      () => [{ x: { dtype: "float32", shape: [1, 2], data: Float32Array.of(1, 2) } }],
      /expected float32, got/,
    ],
    ["no type", () => [{ x: { shape: [1, 2], data: Float32Array.of(1, 2) } }], /not of its dtype/],
  ];
  test.each(cases)("%s", (_, args, message) =>
    withModel(graph, {}, async (model) => {
      const error: unknown = await (model.run as (...args: unknown[]) => Promise<unknown>)
        .apply(model, args())
        .catch((e) => e);
      expect(error).toBeInstanceOf(OctetteError);
      expect((error as OctetteError).message).toMatch(message);
    }));
});

test("inputs and outputs may be named as objects' own parts are, in a file, its self-test and a data set too", async () => {
  const builder = new GraphBuilder();
  builder.node("Neg", [builder.input("__proto__", ["constructor", 1])], "toString");
  const odd = builder.build("toString");
  const outputsOf = (source: Graph | Uint8Array) => {
    const model = loadSync(source as Uint8Array, { maxima: { constructor: 2 } });
    return model
      .run(Object.fromEntries([["__proto__", Float32Array.of(2, 3)]]))
      .finally(() => model.dispose());
  };
  for (const source of [odd, save(odd)])
    expect(Object.entries(await outputsOf(source)).map(([name, { data }]) => [name, ...data])).toEqual([
      ["toString", -2, -3],
    ]);
  expect(await verify(save(odd))).toBe(true);
});
