// Limits of what this process spends: 1 kB of any kind takes less than a second, a model no more memory than it may, and a signal stops what
// never ends.

import { describe, expect, test } from "vitest";
import { OctetteError } from "../../src/errors";
import { tensor } from "../../src/graph/tensor";
import { importOnnx, load, loadSync, readArtifact, save } from "../../src/index";
import { onnxFile } from "../formats/onnx/model-file";
import { chains, fileOf, kinds } from "./kinds";

describe("1 kB of any kind takes less than a second", () => {
  test.each(Object.entries(kinds))("%s", (_, make) => {
    const bytes = fileOf(make, 1000);
    const start = process.cpuUsage();
    try {
      const graph = importOnnx(bytes);
      loadSync(graph).dispose();
      save(graph);
    } catch (error) {
      if (!(error instanceof OctetteError)) throw error;
      expect(error.message.length).toBeLessThan(20_000);
    }
    const { user, system } = process.cpuUsage(start);
    expect((user + system) / 1e6).toBeLessThan(1);
  });
});

test("provenance of any depth ends in an error that names the limit", () => {
  const graph = importOnnx(fileOf(chains.Relu!, 1000));
  let deep: unknown = 0;
  for (let i = 0; i < 200_000; i++) deep = [deep];
  expect(() => save({ ...graph, provenance: { deep } })).toThrow(/MAX_DEPTH = 64/);
  expect(() => save({ ...graph, provenance: { shallow: [[[1]]] } })).not.toThrow();
});

/** Makes `elements` floats of one: as a file it has some hundred bytes. */
const expanded = (elements: number) =>
  importOnnx(
    onnxFile({
      nodes: [{ op: "Expand", inputs: ["x", "shape"], outputs: ["y"] }],
      inputs: [{ name: "x", shape: [1] }],
      initializers: { shape: tensor("i32", [1], [elements]) },
    }),
  );

describe("a model's memory", () => {
  test("is bounded by DEFAULT_MAX_BYTES in load and save, and by maxBytes where it is given", () => {
    const graph = expanded(2 ** 28);
    expect(() => loadSync(graph)).toThrow(/at most 1073741824 bytes \(DEFAULT_MAX_BYTES\).*maxBytes/);
    expect(() => save(graph)).toThrow(/DEFAULT_MAX_BYTES/);
    const small = expanded(2 ** 18);
    for (const maxBytes of [1e6, "1MB", "900 KiB"])
      expect(() => loadSync(small, { maxBytes })).toThrow(/takes more memory than it may/);
    for (const maxBytes of [2e6, "2MB", "1.5 MiB", Number.POSITIVE_INFINITY])
      loadSync(small, { maxBytes }).dispose();
    for (const maxBytes of ["much", "", Number.NaN, -1])
      expect(() => loadSync(small, { maxBytes })).toThrow(/maxBytes: invalid size/);
    expect(() => save(small, { maxBytes: "1MB" })).toThrow(/takes more memory than it may/);
    expect(save(small).length).toBeGreaterThan(0);
  });

  test("and the work of its self-test", () => {
    const slow = importOnnx(
      onnxFile({
        nodes: [
          {
            op: "AveragePool",
            inputs: ["x"],
            outputs: ["y"],
            attributes: { kernel_shape: { ints: [4096, 4096] }, pads: { ints: [4000, 4000, 4000, 4000] } },
          },
        ],
        inputs: [{ name: "x", shape: [1, 1, 128, 128] }],
      }),
    );
    expect(() => save(slow)).toThrow(/MAX_SELF_TEST_MACS = 68719476736.*selfTest: false/);
    const bytes = save(slow, { selfTest: false });
    expect(readArtifact(bytes).selfTest).toBeUndefined();
  });
});

test("a signal stops a source that never gives anything", async () => {
  const never = { [Symbol.asyncIterator]: () => ({ next: () => new Promise<never>(() => {}) }) };
  const loading = load(never, { signal: AbortSignal.timeout(50) });
  await expect(loading).rejects.toThrow(expect.objectContaining({ name: "TimeoutError" }));
});
