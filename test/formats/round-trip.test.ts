// Graphs as the quantizer makes them, and graphs of awkward names and numbers, through the artifact: written again they
// are the same bytes, and they compute the same bytes.

import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { readNpz } from "../../src/formats/npz";
import { readArtifact, writeArtifact } from "../../src/formats/octette";
import { type Graph, renamed } from "../../src/graph/graph";
import { tensor } from "../../src/graph/tensor";
import { createDataset, importOnnx, quantize, save, verify } from "../../src/index";
import { convGraph, denseGraph, networkGraph, opGraph, randomFeeds } from "../check-model";
import { withModel } from "../engine/engines";
import { readExample } from "../examples";
import { GraphBuilder } from "../graph-builder";
import { expectSame } from "./fixtures";

function expectRoundTrip(graph: Graph): void {
  const bytes = writeArtifact(graph);
  const read = readArtifact(bytes).graph;
  expect(writeArtifact(read)).toEqual(bytes);
  expect([read.inputs, read.outputs]).toEqual([graph.inputs, graph.outputs]);
  const feeds = randomFeeds(graph, 1);
  const [got, want] = [read, graph].map((one) =>
    withModel(one, { engineClass: "baseline" }, (model) => model.runSync(feeds)),
  );
  expect(Object.keys(got!)).toEqual(Object.keys(want!));
  for (const [name, output] of Object.entries(want!)) expectSame(got![name], output);
}

const digits = await (async () => {
  const graph = importOnnx(await readExample("digits.onnx"), { name: "digits" });
  const normalize = { layout: "nchw", scale: 1 / 16, mean: [0], std: [1] } as const;
  const train = createDataset(readNpz(await readExample("train.npz")), graph.inputs, { normalize });
  return (await quantize(graph, { calibration: train.take(64).batches(32) })).graph;
})();

const small = denseGraph({ k: 3, n: 2, activation: "Relu" });
const image = { cin: 4, cout: 6, k: 3, h: 7, w: 5, groups: 2 };
const modes = ["float", "static", "static-float", "dynamic"] as const;
const sources: Record<string, Graph> = {
  digits,
  ...Object.fromEntries(
    modes.flatMap((mode) => [
      [`Gemm, ${mode}`, denseGraph({ k: 9, n: 5, mode, activation: "Relu" })],
      [`no bias, ${mode}`, denseGraph({ k: 9, n: 5, mode, bias: false })],
    ]),
  ),
  "Gemm of i8 codes": denseGraph({ k: 9, n: 5, codes: "i8", activation: "Clip" }),
  "grouped Conv, float": convGraph({ ...image, mode: "float" }),
  "grouped Conv without bias": convGraph({ ...image, codes: "i8", bias: false }),
  Sigmoid: opGraph({ op: "Sigmoid", shapes: [["batch", 4]], activation: "Clip" }),
};

/** A graph whose values have other names, wherever they stand. */
function withNames(graph: Graph, names: Readonly<Record<string, string>>): Graph {
  const to = (name: string) => (Object.hasOwn(names, name) ? names[name]! : name);
  return {
    ...graph,
    inputs: graph.inputs.map((input) => ({ ...input, name: to(input.name) })),
    outputs: graph.outputs.map(to),
    nodes: graph.nodes.map((node) => renamed(node, to)),
    constants: new Map([...graph.constants].map(([name, constant]) => [to(name), constant])),
  };
}

describe("the same bytes when written again, and the same answers", () => {
  test.each(Object.entries(sources))("%s", (_, graph) => expectRoundTrip(graph));

  test("the names of its values shuffled among them", () => {
    const values = [
      ...small.inputs.map(({ name }) => name),
      ...small.constants.keys(),
      ...small.nodes.flatMap(({ outputs }) => outputs),
    ];
    const shuffled = fc.shuffledSubarray(values, { minLength: values.length, maxLength: values.length });
    fc.assert(
      fc.property(shuffled, (names) =>
        expectRoundTrip(withNames(small, Object.fromEntries(values.map((name, i) => [name, names[i]!])))),
      ),
      { numRuns: 100, seed: 1 },
    );
  });

  const taken: Record<string, Record<string, string>> = {
    "of one another's scales": { w_scale: "x_scale", x_scale: "w_scale" },
    "of one another's codes": { x: "x_codes", x_codes: "x" },
    "that objects have": { x: "constructor", y: "toString", w_codes: "7", x_scale: "hasOwnProperty" },
    "of any length": { x: "x".repeat(2000), x_codes: "c".repeat(2000) },
  };
  test.each(Object.entries(taken))("names %s", (_, names) => expectRoundTrip(withNames(small, names)));

  test("attributes that JSON has no number for", () => {
    for (const attributes of [{ min: -Infinity, max: 0.1 }, { min: -0, max: Infinity }, { max: 2 ** -149 }]) {
      const builder = new GraphBuilder();
      builder.node("Clip", [builder.input("x", ["batch", 4])], "y", attributes);
      const graph = builder.build("y");
      expectRoundTrip(graph);
      expect(readArtifact(writeArtifact(graph)).graph.nodes[0]!.attributes).toEqual(attributes);
    }
  });

  test("a zero point of floats, which no kernel reads", () => {
    const constants = new Map(small.constants).set("x_zero_point", tensor("f32", [], [Infinity]));
    const bytes = writeArtifact({ ...small, constants });
    expect(writeArtifact(readArtifact(bytes).graph)).toEqual(bytes);
  });
});

test("preprocessing gives the same bytes in whatever order it was put together, and must be finite", () => {
  const graph = networkGraph();
  const written = (preprocessing: object) =>
    writeArtifact({
      ...graph,
      inputs: graph.inputs.map((input) => ({ ...input, preprocessing: preprocessing as never })),
    });
  const parts = { layout: "nhwc", scale: 1 / 255, mean: [0.5, 0.1, 0.2], std: [0.3] };
  const backwards = Object.fromEntries(Object.entries(parts).reverse());
  expect(written(backwards)).toEqual(written(parts));
  expect(() => written({ ...parts, std: [Infinity] })).toThrow('input "x": its preprocessing is not finite');
});

test("any other constant of digits is another content", () => {
  const contentHash = (graph: Graph) => readArtifact(writeArtifact(graph)).contentHash;
  const hashes = new Set([contentHash(digits)]);
  for (const [name, constant] of digits.constants) {
    const data = constant.data.slice();
    new Uint8Array(data.buffer)[0]! ^= 1;
    hashes.add(
      contentHash({ ...digits, constants: new Map(digits.constants).set(name, { ...constant, data }) }),
    );
  }
  expect(hashes.size).toBe(digits.constants.size + 1);
});

test("a saved model verifies, and not by the hash of another seed or of another output", async () => {
  const bytes = save(digits);
  const { hash } = readArtifact(bytes).selfTest!;
  expect(await verify(bytes)).toBe(true);
  expect(await verify(writeArtifact(digits, { selfTest: { seed: 2, hash } }))).toBe(false);
  expect(await verify(writeArtifact(digits, { selfTest: { seed: 1, hash: "0".repeat(64) } }))).toBe(false);
});
