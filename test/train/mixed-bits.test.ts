// Layers of different bits, from quantization through tuning and a file back to tuning: each keeps its own.

import { expect, test } from "vitest";
import { type Graph, quantize, readArtifact, save } from "../../src/index";
import { type TuneOptions, tune } from "../../src/train/index";
import { parametersOf } from "../../src/train/step/prepare";
import { data as digits, float } from "./digits";

const data = digits.take(640);
const quick: TuneOptions = { data, epochs: 1, batch: 32, lr: 0.002 };

/** The largest code of every layer's weights, and whether a code is that large, by the layer's name. */
function largest(graph: Graph): Map<string, { limit: number; reached: boolean }> {
  const found = new Map<string, { limit: number; reached: boolean }>();
  for (const { kind, layer, coded } of parametersOf(graph)) {
    if (kind !== "weight" || !coded) continue;
    const codes = graph.constants.get(coded.codes)!.data as Int8Array;
    found.set(layer, { limit: coded.limit, reached: codes.some((code) => Math.abs(code) === coded.limit) });
  }
  return found;
}

const bitsOf = (layer: string) => (layer.includes("body.1") ? 4 : layer.includes("body.2") ? 2 : 8);

test("a layer of 4 bits stays one, and so do its neighbours of 8 and 2", async () => {
  const { graph, masters } = await quantize(float, {
    calibration: data.take(128).batches(32),
    bits: 8,
    overrides: { "*body.1*": { bits: 4 }, "*body.2*": { bits: 2 } },
  });
  const expected = new Map(
    float.nodes
      .filter(({ op }) => op === "Conv" || op === "Linear")
      .map(({ name }) => [name, { limit: 2 ** (bitsOf(name) - 1) - 1, reached: true }] as const),
  );
  expect(new Set([...expected.values()].map(({ limit }) => limit))).toEqual(new Set([1, 7, 127]));
  expect(largest(graph)).toEqual(expected);

  const tuned = await tune(graph, { ...quick, masters, teacher: float });
  expect(tuned.summary.best).toBeGreaterThan(0);
  expect(largest(tuned.graph)).toEqual(expected);

  const read = readArtifact(save(tuned.graph)).graph;
  expect(largest(read)).toEqual(expected);
  const again = await tune(read, { ...quick, lr: 0.02 });
  expect(again.summary.epochs[0]!.changed).toBeGreaterThan(0);
  expect(largest(again.graph)).toEqual(expected);
});
