// Calls that a newcomer gets wrong: what is said of them.

import { expect, test } from "vitest";
import { OctetteError } from "../src/errors";
import { applyDelta, createDataset, importOnnx, loadSync, quantize, save, tensor } from "../src/index";
import { loadSync as loadSyncOfRuntime } from "../src/runtime/index";
import { readExample } from "./examples";

const graph = importOnnx(await readExample("digits.onnx"));
const [{ name }] = graph.inputs as [(typeof graph.inputs)[0]];
const x = tensor("f32", [2, 1, 8, 8], new Float32Array(128));
const text = new TextEncoder().encode('{\n  "name": "octette",\n  "version": "0.1.0"\n}\n'.repeat(3));

test.each([
  [
    "a path where bytes are",
    () => loadSync("m.octette" as never),
    /takes bytes; load\(\) takes paths.*got String/,
  ],
  ["a path for octette/runtime", () => loadSyncOfRuntime("m.octette" as never), /takes bytes/],
  [
    "text as a model",
    () => importOnnx(text, { name: "package.json" }),
    /package\.json: is text, not a model/,
  ],
  [
    "an array as a delta",
    () => applyDelta(save(graph), new Uint8Array(500).fill(66), { delta: "d.npy" }),
    /d\.npy: not an octette delta/,
  ],
  [
    "bare elements",
    () => createDataset({ [name]: new Uint8Array(64) as never }, graph.inputs),
    /array ".*": is not a tensor: expected \{ dtype, shape, data \}.*got Uint8Array/,
  ],
  [
    "labels in a list",
    () => createDataset({ [name]: x }, graph.inputs, { labels: [1, 2] as never }),
    /labels: is not a tensor/,
  ],
  [
    "a number as calibration",
    () => quantize(graph, { calibration: 5 as never }),
    /calibration must be an iterable of batches/,
  ],
  [
    "nothing as feeds",
    () => quantize(graph, { calibration: [null] as never }),
    /feeds must be arrays by name|feeds/,
  ],
])("%s", async (_, call, message) => {
  const error = await (async () => call())().catch((cause: unknown) => cause);
  expect(error).toBeInstanceOf(OctetteError);
  expect((error as OctetteError).message).toMatch(message);
});
