// Noise of layers between two models, whichever of them is the quantized one.

import { beforeAll, expect, test } from "vitest";
import {
  evaluate,
  type Graph,
  importOnnx,
  load,
  openDataset,
  quantize,
  withPreprocessing,
} from "../../src/index";
import { example } from "../cli/spawn";
import { readExample } from "../examples";

let float: Graph;
let data: Awaited<ReturnType<typeof openDataset>>;
beforeAll(async () => {
  const imported = importOnnx(await readExample("digits_wild.onnx"), { name: "wild" });
  const normalize = { layout: "nchw", scale: 1 / 16, mean: [0], std: [1] } as const;
  data = await openDataset(example("train.npz"), imported.inputs, { normalize });
  float = withPreprocessing(imported, data);
});

const quantized = async (equalize: boolean) =>
  (await quantize(float, { calibration: data.take(128).batches(32), equalize })).graph;

async function noise(one: Graph, other: Graph) {
  const [model, against] = [await load(one), await load(other)];
  try {
    const { layers = [] } = await evaluate(model, data.take(32), { against, layers: true });
    return new Map(layers.map(({ value, sqnrDb }) => [value, sqnrDb]));
  } finally {
    model.dispose();
    against.dispose();
  }
}

test("an equalized model against the float one, and the other way round: no layer is lost in its scale", async () => {
  const int8 = await quantized(true);
  const [there, back] = [await noise(int8, float), await noise(float, int8)];
  expect(there.size).toBeGreaterThan(10);
  expect([...back.keys()].sort()).toEqual([...there.keys()].sort());
  for (const [value, db] of there) expect(Math.abs(back.get(value)! - db)).toBeLessThan(1);
});

test("two quantized models of which one is equalized are refused", async () => {
  const [one, other] = [await quantized(true), await quantized(false)];
  await expect(noise(one, other)).rejects.toThrow(/one model is equalized, the other is not/);
  await expect(noise(other, one)).rejects.toThrow(/Compare each with the float model/);
  expect((await noise(one, one)).size).toBeGreaterThan(10);
});
