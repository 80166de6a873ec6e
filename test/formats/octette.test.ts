// The artifact: what is written comes back, to the byte; and whatever a file claims, reading it ends in a model or in a
// typed error, soon and within limits.

import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { sha256 } from "@noble/hashes/sha2.js";
import { bytesToHex } from "@noble/hashes/utils.js";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { inlined } from "../../src/engine/inlined";
import { Model } from "../../src/engine/model";
import { selfTestHash } from "../../src/engine/self-test";
import { Engine } from "../../src/engine/wasm";
import { FormatError, OctetteError } from "../../src/errors";
import { MAX_NODES } from "../../src/formats/graph-rows";
import { ARTIFACT_VERSION, readArtifact, writeArtifact } from "../../src/formats/octette";
import { readOnnx } from "../../src/formats/onnx/import";
import { readSafetensors, readSafetensorsHeader } from "../../src/formats/safetensors";
import { writeSafetensors } from "../../src/formats/write-safetensors";
import { type Graph, renamed } from "../../src/graph/graph";
import { Random } from "../../src/graph/random";
import { tensor } from "../../src/graph/tensor";
import { save, verify } from "../../src/index";
import { toolkitOps } from "../../src/ops/toolkit";
import { simplify } from "../../src/passes/index";
import { convGraph, denseGraph, expectSameBytes, networkGraph, opGraph, randomFeeds } from "../check-model";
import { withModel } from "../engine/engines";
import { GraphBuilder } from "../graph-builder";
import { expectOnlyOctetteErrors } from "./fixtures";
import { sealed } from "./sealed";

const image = { cin: 3, cout: 5, k: 3, h: 5, w: 4, pad: 1 };
const graphs: Record<string, Graph> = {
  "float network": networkGraph({ quantized: false }),
  "quantized network": networkGraph(),
  "convolution of i8 codes": convGraph({ ...image, codes: "i8", activation: "Clip" }),
  "dynamic gemm": denseGraph({ k: 9, n: 4, mode: "dynamic" }),
  "gemm with a float result": denseGraph({ k: 9, n: 4, mode: "static-float", bias: false }),
  "added codes": opGraph({
    op: "Add",
    shapes: [
      ["batch", 4],
      ["batch", 4],
    ],
    activation: "Relu",
  }),
};

/** Constants with what JSON cannot say, of every type and without elements. */
function odd(): Graph {
  const builder = new GraphBuilder();
  let x = builder.input("x", ["batch", 2]);
  for (const [i, value] of [-0, Infinity, Number.NaN, 2 ** -149, 0.1].entries())
    x = builder.node("Add", [x, builder.constant(`c${i}`, tensor("f32", [], [value]))], `x${i}`);
  builder.node("Identity", [builder.constant("flags", tensor("bool", [2], [1, 0]))], "flagged");
  builder.node("Identity", [builder.constant("none", tensor("i32", [0, 3], []))], "nothing");
  return builder.build(x, "flagged", "nothing");
}

/** Names that objects have, and names of one another. */
function colliding(): Graph {
  const graph = denseGraph({ k: 3, n: 2 });
  const names = new Map([
    ["w_codes", "q_scale"],
    ["w_scale", "__proto__"],
    ["b_codes", "#0"],
    ["q_scale", "w_codes"],
  ]);
  const nameOf = (name: string) => names.get(name) ?? name;
  return {
    ...graph,
    constants: new Map([...graph.constants].map(([name, value]) => [nameOf(name), value])),
    nodes: graph.nodes.map((node) => renamed(node, nameOf)),
  };
}

const outputsOf = (graph: Graph, feeds: Parameters<Model["runSync"]>[0]) =>
  withModel(graph, { maxima: { batch: 3 } }, (model) => model.runSync(feeds));

describe("what is written comes back", () => {
  for (const [name, graph] of Object.entries({ ...graphs, odd: odd(), colliding: colliding() }))
    test(`${name}: the same bytes when written again, the same outputs`, () => {
      const bytes = writeArtifact(graph);
      const read = readArtifact(bytes).graph;
      expect(writeArtifact(read)).toEqual(bytes);
      const feeds = randomFeeds(graph, 3);
      const [before, after] = [outputsOf(graph, feeds), outputsOf(read, feeds)];
      expect(Object.keys(after)).toEqual(Object.keys(before));
      for (const [output, y] of Object.entries(before)) expectSameBytes(after[output], y, output);
    });

  test("preprocessing, provenance and the self-test too", () => {
    const graph = networkGraph();
    const preprocessing = { layout: "nhwc", scale: 1 / 255, mean: [0.1, 0.2, 0.3], std: [1, 2, 3] } as const;
    const inputs = graph.inputs.map((input) => ({ ...input, preprocessing }));
    const provenance = { source: "ünïcode", nested: { list: [1, "two", null] } };
    const selfTest = { seed: 7, hash: "ab".repeat(32) };
    const artifact = readArtifact(writeArtifact({ ...graph, inputs, provenance }, { selfTest }));
    expect(artifact.graph.inputs).toEqual(inputs);
    expect(artifact.graph.provenance).toEqual(provenance);
    expect(artifact.selfTest).toEqual(selfTest);
    expect(readArtifact(writeArtifact(graph)).selfTest).toBeUndefined();
  });

  test("preprocessing of floats, and of bytes, which is what it is where it does not say", () => {
    const graph = networkGraph();
    const written = (of: object) =>
      writeArtifact({
        ...graph,
        inputs: graph.inputs.map((input) => ({
          ...input,
          preprocessing: { layout: "nchw", scale: 2, mean: [1], std: [3], ...of },
        })),
      });
    const [ofBytes, ofNumbers] = [written({}), written({ of: "numbers" })];
    expect(readArtifact(ofNumbers).graph.inputs[0]!.preprocessing!.of).toBe("numbers");
    expect(writeArtifact(readArtifact(ofNumbers).graph)).toEqual(ofNumbers);
    expect(written({ of: undefined })).toEqual(ofBytes);
    expect(() => written({ of: "floats" })).toThrow(
      /input "x": its preprocessing is of no such feeds: expected "numbers", or left out, got floats/,
    );
  });

  test("a random quantized layer of any names", () => {
    const names = fc.constantFrom(
      "x",
      "y",
      "w",
      "#0",
      "q_scale",
      "q_real@Conv_q",
      "constructor",
      "é",
      "q_codes_1",
    );
    fc.assert(
      fc.property(fc.nat(1000), fc.uniqueArray(names, { minLength: 4 }), (seed, [x, w, a, b]) => {
        const builder = new GraphBuilder(seed);
        const coded = builder.quantize(builder.input(`${x}_in`, ["batch", 3]), builder.range());
        const weights = builder.weights(w!, [2, 3], 0);
        const region = builder.layer("Linear", [coded, weights], a!, {
          range: builder.range(),
        });
        builder.dequantize(region, `${b}_out`);
        const graph = builder.build(`${b}_out`);
        const bytes = writeArtifact(graph);
        const read = readArtifact(bytes).graph;
        expect(writeArtifact(read)).toEqual(bytes);
        const feeds = randomFeeds(graph, 2);
        for (const [name, y] of Object.entries(outputsOf(graph, feeds)))
          expectSameBytes(outputsOf(read, feeds)[name], y, name);
      }),
      { numRuns: 60 },
    );
  });
});

describe("bytes and hashes", () => {
  const graph = graphs["quantized network"]!;

  test("equal graphs give equal bytes, in whatever order constants and attributes were made", () => {
    const reversed = {
      ...graph,
      constants: new Map([...graph.constants].reverse()),
      nodes: graph.nodes.map((node) => ({
        ...node,
        attributes: Object.fromEntries(Object.entries(node.attributes).reverse()),
      })),
    };
    expect(writeArtifact(reversed)).toEqual(writeArtifact(graph));
  });

  test("the content hash depends on graph and tensors, and on nothing else", () => {
    const hashOf = (some: Graph) => readArtifact(writeArtifact(some)).contentHash;
    const hash = hashOf(graph);
    expect(hash).toMatch(/^[0-9a-f]{64}$/);
    expect(hashOf({ ...graph, provenance: { tool: "another" } })).toBe(hash);
    expect(
      readArtifact(writeArtifact(graph, { selfTest: { seed: 1, hash: "0".repeat(64) } })).contentHash,
    ).toBe(hash);
    const [name, weights] = [...graph.constants].find(([, { data }]) => data.length > 20)!;
    const data = weights.data.slice();
    data[3]! ^= 1;
    const changed = { ...graph, constants: new Map(graph.constants).set(name, { ...weights, data }) };
    expect(hashOf(changed)).not.toBe(hash);
  });

  test("the file hash is that of the header with zeros in its place, which has one of each tensor", () => {
    const bytes = writeArtifact(graph);
    const { entries, headerBytes, metadata } = readSafetensorsHeader(bytes);
    const { fileHash } = readArtifact(bytes);
    const text = Buffer.from(bytes.subarray(0, headerBytes)).toString("latin1");
    expect(text.split(fileHash)).toHaveLength(2);
    const blank = Buffer.from(text.replace(fileHash, "0".repeat(64)), "latin1");
    expect(bytesToHex(sha256(blank))).toBe(fileHash);
    const hashes = entries.map(({ offset, bytes: n }) => sha256(bytes.subarray(offset, offset + n)));
    expect(metadata.tensor_hashes).toBe(hashes.map((hash) => bytesToHex(hash).slice(0, 32)).join(""));
  });

  test("it is a safetensors file whose tensors are the graph's own", () => {
    const { tensors, metadata } = readSafetensors(writeArtifact(graph));
    expect(metadata).toMatchObject({ format: "octette", version: `${ARTIFACT_VERSION}` });
    expect(tensors.size).toBeGreaterThan(0);
    for (const [name, value] of tensors) expectSameBytes(value, graph.constants.get(name)!, name);
  });

  test("the self-test holds, and fails where a weight was changed", async () => {
    const bytes = save(graph);
    expect(await verify(bytes)).toBe(true);
    expect(await verify(writeArtifact(graph))).toBe(false);
    const { selfTest } = readArtifact(bytes);
    expect(await verify(writeArtifact(graph, { selfTest: { ...selfTest!, seed: selfTest!.seed + 1 } }))).toBe(
      false,
    );
    const model = new Model(graph, toolkitOps, new Engine(inlined), { maxima: { batch: 4 } });
    expect(selfTestHash(model, selfTest!.seed)).toBe(selfTest!.hash);
    model.dispose();
  });
});

type Mutable = { [key: string]: unknown };

/** The same file with other metadata or another graph, and a hash that is right. */
function forged(
  bytes: Uint8Array,
  change: (header: Mutable, metadata: Record<string, string>) => void,
): Uint8Array {
  const { tensors, metadata } = readSafetensors(bytes);
  const header = JSON.parse(metadata.graph!) as Mutable;
  const changed = { ...metadata };
  change(header, changed);
  if (changed.graph === metadata.graph) changed.graph = JSON.stringify(header);
  return sealed(tensors, changed);
}

/** A small model's memory and work; a hostile one may ask for more, up to its named limits, but is not run here. */
const SMALL_BYTES = 1 << 24;
/** Longest that reading a hostile file may take, in milliseconds. */
const PATIENCE = 5000;

/** Loads bytes and runs them where they are small; anything but an OctetteError is thrown on. */
function load(bytes: Uint8Array): unknown {
  const start = performance.now();
  try {
    const { graph } = readArtifact(bytes, "hostile.octette");
    return withModel(graph, { engineClass: "baseline" }, (model) => {
      if (model.bytes <= SMALL_BYTES) selfTestHash(model, 1);
      return "runs";
    });
  } catch (error) {
    if (!(error instanceof OctetteError)) throw error;
    return error;
  } finally {
    expect(performance.now() - start).toBeLessThan(PATIENCE);
  }
}

describe("a damaged file", () => {
  const valid = writeArtifact(graphs["quantized network"]!, { selfTest: { seed: 1, hash: "0".repeat(64) } });

  test("is told apart from one of another format or version", () => {
    const message = (bytes: Uint8Array) => {
      const read = () => readArtifact(bytes, "m.octette");
      expect(read).toThrow(FormatError);
      try {
        read();
      } catch (error) {
        return (error as Error).message;
      }
      return "";
    };
    const other = (changes: Record<string, string>) =>
      message(forged(valid, (_, metadata) => Object.assign(metadata, changes)));
    expect(message(writeSafetensors(new Map(), { format: "pt" }))).toMatch(
      /m\.octette: not an octette model: .*got "pt".*octette quantize/,
    );
    expect(message(writeSafetensors(new Map()))).toMatch(/not an octette model: .*got none/);
    expect(other({ version: "5" })).toMatch(/another version.*expected version 4, got 5.*Update octette/);
    expect(other({ version: "3" })).toMatch(/another version.*got 3.*Make it anew.*octette quantize/);
    expect(other({ version: "two" })).toMatch(/another version.*got two/);
    expect(ARTIFACT_VERSION).toBe(4);
    expect(other({ graph: "{" })).toMatch(/metadata are not JSON/);
    expect(other({ provenance: "[]" })).toMatch(/provenance is not an object/);
    const changed = valid.slice();
    changed[changed.length - 1]! ^= 1;
    expect(message(changed)).toMatch(/the file was changed or damaged: expected SHA-256 \w{32}, got \w{32}/);
    const unhashed = Buffer.from(
      Buffer.from(valid).toString("latin1").replace("file_hash", "fine_hash"),
      "latin1",
    );
    expect(message(unhashed)).toMatch(/changed or damaged: expected SHA-256 in its metadata, got none/);
    expect(message(valid.slice(0, -1))).toMatch(/truncated/);
    expect(message(Uint8Array.of(...valid, 0))).toMatch(/bytes after the last tensor/);
    expect(message(new TextEncoder().encode("<!doctype html><html>not found</html>"))).toMatch(/m\.octette/);
  });

  test("with any byte changed is refused", () => {
    fc.assert(
      fc.property(fc.nat(valid.length - 1), fc.integer({ min: 1, max: 255 }), (at, mask) => {
        const bytes = valid.slice();
        bytes[at]! ^= mask;
        expect(() => readArtifact(bytes)).toThrow(OctetteError);
      }),
      { numRuns: 300 },
    );
  });

  const digits = join(import.meta.dirname, "../../examples/digits/digits.onnx");
  const files: [string, () => Uint8Array][] = [
    ["float", () => writeArtifact(graphs["float network"]!)],
    ["quantized", () => valid],
    ["digits", () => writeArtifact(simplify(readOnnx(new Uint8Array(readFileSync(digits))), toolkitOps))],
  ];
  for (const [name, file] of files)
    test.skipIf(name === "digits" && !existsSync(digits))(`${name}: only OctetteErrors, soon`, () => {
      expectOnlyOctetteErrors((bytes) => readArtifact(bytes), file(), 200);
    });
});

describe("a forged file whose hash is right", () => {
  const valid = writeArtifact(graphs["quantized network"]!);
  const plain = writeArtifact(graphs["float network"]!);
  const header = JSON.parse(readSafetensors(plain).metadata.graph!) as Mutable & { nodes: unknown[][] };
  const rows = (h: Mutable) => h.nodes as unknown[][];
  const row = rows(header).findIndex((one) => one.length === 5);

  const forgeries: Record<string, (h: Mutable) => void> = {
    "an index beyond the names": (h) => ((h.outputs as unknown[])[0] = 1e6),
    "a negative index": (h) => ((h.outputs as unknown[])[0] = -2),
    "an index between two": (h) => ((h.outputs as unknown[])[0] = 0.5),
    "an index that is a property": (h) => ((h.outputs as unknown[])[0] = "length"),
    "an output that nothing makes": (h) =>
      ((h.outputs as unknown[])[0] = (h.strings as string[]).push("ghost") - 1),
    "a negative dimension": (h) => ((h.inputs as unknown[][])[0]![2] = ["batch", -3, 8, 8]),
    "a dimension that is no symbol": (h) => ((h.inputs as unknown[][])[0]![2] = ["batch*", 3, 8, 8]),
    "a dimension named as what objects have": (h) =>
      ((h.inputs as unknown[][])[0]![2] = ["__proto__", 3, 0.5]),
    "an unknown type": (h) => ((h.inputs as unknown[][])[0]![1] = "f16"),
    "a type without kernels": (h) => ((h.inputs as unknown[][])[0]![1] = "bool"),
    "no nodes": (h) => delete h.nodes,
    "nodes that are an object": (h) => (h.nodes = { length: 3 }),
    "an operator that is no text": (h) => (rows(h)[row]![0] = 9),
    "an unknown operator": (h) => (rows(h)[row]![0] = "__proto__"),
    "the same value made twice": (h) => rows(h).push(rows(h)[row]!),
    "a cycle": (h) => (rows(h)[row]![3] = rows(h)[row]![4]),
    "nodes in reverse order": (h) => rows(h).reverse(),
    "attributes that are a list": (h) => (rows(h)[row]![2] = [1]),
    "codes without parameters": (h) => (rows(h)[row]![5] = []),
    "codes of an operator over floats": (h) => (rows(h)[row]![5] = [[], null]),
    "a mean that is text": (h) =>
      ((h.inputs as unknown[][])[0]![3] = { layout: "nhwc", scale: 1, mean: ["a"], std: [1] }),
    "preprocessing of feeds that there are not": (h) =>
      ((h.inputs as unknown[][])[0]![3] = { layout: "nhwc", scale: 1, mean: [0], std: [1], of: "floats" }),
    "preprocessing that is null": (h) => ((h.inputs as unknown[][])[0]![3] = null),
    "a scalar that its type cannot hold": (h) => (h.scalars = [[0, "u8", [], 256]]),
  };
  for (const [name, forge] of Object.entries(forgeries))
    test(`${name}: a typed error`, () => expect(load(forged(plain, forge))).toBeInstanceOf(OctetteError));

  test("numbers nested a hundred thousand deep: a typed error", () => {
    const deep = "[".repeat(1e5) + "]".repeat(1e5);
    const inGraph = forged(plain, (_, metadata) => {
      metadata.graph = metadata.graph!.replace('"scalars":[', `"scalars":[[0,"u8",[],${deep}],`);
    });
    expect(load(inGraph)).toBeInstanceOf(FormatError);
    const json = new TextEncoder().encode(`{"w":{"dtype":"U8","shape":${deep},"data_offsets":[0,0]}}`);
    const inHeader = new Uint8Array(8 + json.length);
    new DataView(inHeader.buffer).setUint32(0, json.length, true);
    inHeader.set(json, 8);
    expect(load(inHeader)).toBeInstanceOf(FormatError);
  });

  const limits: Record<string, (h: Mutable) => void> = {
    "an input of 2^53 elements": (h) => ((h.inputs as unknown[][])[0]![2] = ["batch", 2 ** 53 - 1]),
    "an input of more elements than numbers reach": (h) =>
      ((h.inputs as unknown[][])[0]![2] = ["batch", ...new Array(30).fill(2 ** 53 - 1), 0]),
    "an input as large as memory": (h) => ((h.inputs as unknown[][])[0]![2] = ["batch", 2 ** 30]),
  };
  const echo = new GraphBuilder();
  echo.node("Identity", [echo.input("x", ["batch", 2])], "y");
  for (const [name, forge] of Object.entries(limits))
    test(`${name}: a named limit`, () => {
      const error = load(forged(writeArtifact(echo.build("y")), forge));
      expect(error).toMatchObject({ code: "limit" });
    });

  test("too many nodes: a named limit", () => {
    const builder = new GraphBuilder();
    let x = builder.input("x", ["batch", 1]);
    for (let i = 0; i <= MAX_NODES; i++) x = builder.node("Relu", [x], `y${i}`);
    expect(load(writeArtifact(builder.build(x)))).toMatchObject({ code: "limit" });
  });

  test("as many groups as no weights have: a typed error", () => {
    const builder = new GraphBuilder();
    const w = builder.constant("w", tensor("f32", [0, 1, 1, 1], []));
    builder.node("Conv", [builder.input("x", ["batch", 2 ** 30, 0, 0]), w], "y", { group: 2 ** 30 });
    expect(load(writeArtifact(builder.build("y")))).toBeInstanceOf(OctetteError);
  });

  test("a permutation of many dimensions: a named limit", () => {
    const builder = new GraphBuilder();
    const rank = 24;
    const perm = Array.from({ length: rank }, (_, i) => rank - 1 - i);
    builder.node("Transpose", [builder.input("x", new Array(rank).fill(2))], "y", { perm });
    expect(load(writeArtifact(builder.build("y")))).toBeInstanceOf(OctetteError);
  });

  test("weights without elements but of many rows: a typed error before anything as long is made", () => {
    const tensors = new Map([["w", tensor("f32", [2 ** 31, 0], [])]]);
    const builder = new GraphBuilder();
    builder.node("Linear", [builder.input("x", ["batch", 0]), builder.constant("w", tensors.get("w")!)], "y");
    expect(load(writeArtifact(builder.build("y")))).toBeInstanceOf(OctetteError);
  });

  test("any part of its JSON replaced: a typed error, or a model that runs", () => {
    const replacements = [
      -1,
      0,
      1,
      2,
      3,
      7,
      0.5,
      65,
      2 ** 31,
      2 ** 53,
      1e308,
      null,
      "batch",
      "x",
      "",
      [],
      {},
      [1],
      [[]],
      true,
    ];
    for (const bytes of [
      plain,
      valid,
      ...Object.values(graphs)
        .slice(2)
        .map((graph) => writeArtifact(graph)),
    ]) {
      const { tensors, metadata } = readSafetensors(bytes);
      const random = new Random(5);
      for (let i = 0; i < 120; i++) {
        const changed = JSON.parse(metadata.graph!) as unknown;
        for (let n = 0; n <= i % 3; n++) replaceSomewhere(changed, random, replacements);
        const result = load(sealed(tensors, { ...metadata, graph: JSON.stringify(changed) }));
        expect(result === "runs" || result instanceof OctetteError).toBe(true);
      }
    }
  });
});

/** Replaces one part of a JSON value, found by going down at random. */
function replaceSomewhere(root: unknown, random: Random, replacements: readonly unknown[]): void {
  let at = root as Record<string, unknown>;
  for (;;) {
    const keys = Object.keys(at);
    if (keys.length === 0) return;
    const key = keys[random.below(keys.length)]!;
    const next = at[key];
    const goesOn = typeof next === "object" && next !== null && random.below(8) > 0;
    if (!goesOn) {
      at[key] = structuredClone(replacements[random.below(replacements.length)]);
      return;
    }
    at = next as Record<string, unknown>;
  }
}
