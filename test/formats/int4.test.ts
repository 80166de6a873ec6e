// Codes of 4 bits: two to a byte in the file, a byte each when they are read, whoever reads them and however.

import { describe, expect, test } from "vitest";
import { FormatError } from "../../src/errors";
import { packInt4, unpackInt4 } from "../../src/formats/int4";
import { readArtifact, writeArtifact } from "../../src/formats/octette";
import { readSafetensors, readSafetensorsHeader } from "../../src/formats/safetensors";
import { writeSafetensors } from "../../src/formats/write-safetensors";
import type { Graph } from "../../src/graph/graph";
import { Random } from "../../src/graph/random";
import { isVector, sizeOf, type Tensor, tensor } from "../../src/graph/tensor";
import { applyDelta, createDelta, load, loadSync, preload, save, verify } from "../../src/index";
import { convGraph, denseGraph, expectSameBytes, networkGraph, randomFeeds } from "../check-model";
import { expectOnlyOctetteErrors, expectSame } from "./fixtures";
import { sealed } from "./sealed";

await preload();

const isWeight = ({ dtype, shape }: Tensor) => dtype === "i8" && !isVector(shape);

/** The graph with weight codes from −8 to 7. */
function inFourBits(graph: Graph): Graph {
  const narrowed = (value: Tensor) =>
    isWeight(value) ? { ...value, data: value.data.map((code) => code >> 4) } : value;
  return { ...graph, constants: new Map([...graph.constants].map(([name, v]) => [name, narrowed(v)])) };
}

const metadataOf = (bytes: Uint8Array) => readSafetensorsHeader(bytes).metadata;
/** Header entries as the file has them. */
const storedOf = (bytes: Uint8Array) => {
  const length = new DataView(bytes.buffer).getUint32(0, true);
  return JSON.parse(new TextDecoder().decode(bytes.subarray(8, 8 + length)));
};

describe("packing", () => {
  test("the first of two codes is in the low nibble, and what is left over is 0", () => {
    const codes = tensor("i8", [3, 3], [1, -1, 7, -8, 3, 0, 0, 0, -2]);
    const { stored, shapes } = packInt4(new Map([["w", codes]]));
    expect(stored.get("w")).toEqual(tensor("u8", [5], [0xf1, 0x87, 0x03, 0x00, 0x0e]));
    expect(shapes).toEqual({ "int4 w": "3,3" });
  });

  test("codes beyond 4 bits, vectors, other types and no codes at all are left as they are", () => {
    const left = new Map([
      ["above", tensor("i8", [2, 2], [8, 0, 0, 0])],
      ["below", tensor("i8", [2, 2], [0, 0, 0, -9])],
      ["zero points", tensor("i8", [4, 1], [0, 0, 0, 0])],
      ["u8", tensor("u8", [2, 2], [1, 2, 3, 4])],
      ["none", tensor("i8", [0, 2], [])],
    ]);
    expect(packInt4(left)).toEqual({ stored: left, shapes: {} });
  });

  test.each([4, 9, 15, 16, 51, 289])("%i codes come back", (count) => {
    const random = new Random(count);
    const shape = count % 3 === 0 ? [3, count / 3] : count === 289 ? [17, 17] : [2, count / 2];
    const codes = tensor(
      "i8",
      shape,
      Array.from({ length: count }, () => random.below(16) - 8),
    );
    const { stored, shapes } = packInt4(new Map([["w", codes]]));
    expect(stored.get("w")!.data.length).toBe(Math.ceil(count / 2));
    expectSame(readSafetensors(writeSafetensors(stored, shapes)).tensors.get("w"), codes);
    const place = new Uint8Array(count);
    const packed = place.subarray(count - Math.ceil(count / 2));
    packed.set(stored.get("w")!.data);
    unpackInt4(place, packed);
    expect(new Int8Array(place.buffer)).toEqual(codes.data);
  });

  test("codes lie behind the scales of their groups, and before the next layer's", () => {
    const codes = tensor("i8", [2, 4], [1, 2, 3, 4, 5, 6, 7, 0]);
    const groups = tensor("i8", [2, 2], [100, 100, 100, 100]);
    const { stored, shapes } = packInt4(
      new Map([
        ["a", codes],
        ["a_groups", groups],
        ["b", codes],
        ["b_groups", groups],
        ["v", tensor("u8", [2], [1, 2])],
      ]),
    );
    const { entries } = readSafetensorsHeader(writeSafetensors(stored, shapes));
    expect(entries.map(({ name }) => name)).toEqual(["v", "a_groups", "a", "b_groups", "b"]);
  });
});

const graphs: Record<string, Graph> = {
  network: networkGraph(),
  "an odd number of codes": denseGraph({ k: 9, n: 5 }),
  "convolution of i8 codes": convGraph({ cin: 3, cout: 5, k: 3, h: 5, w: 4, codes: "i8" }),
  dynamic: denseGraph({ k: 17, n: 3, mode: "dynamic" }),
};

describe.each(Object.entries(graphs))("%s", (_, eight) => {
  const graph = inFourBits(eight);
  const bytes = save(graph);

  test("takes half a byte a code, in a file that every safetensors reader takes", () => {
    const stored = storedOf(bytes);
    const weights = [...graph.constants].filter(([, value]) => isWeight(value));
    expect(weights.length).toBeGreaterThan(0);
    for (const [name, { shape }] of weights) {
      const half = Math.ceil(sizeOf(shape) / 2);
      expect(stored[name]).toMatchObject({ dtype: "U8", shape: [half] });
      expect(stored[name].data_offsets[1] - stored[name].data_offsets[0]).toBe(half);
    }
  });

  test("comes back to the bit, and is the same bytes when written again", () => {
    const read = readArtifact(bytes).graph;
    for (const [name, value] of read.constants) expectSame(value, graph.constants.get(name)!);
    expect(save(read)).toEqual(bytes);
  });

  test("gives the same answers read as a whole and tensor by tensor, and verifies", async () => {
    expect(await verify(bytes)).toBe(true);
    const feeds = randomFeeds(graph, 1);
    const models = [loadSync(graph), loadSync(bytes), await load(new Blob([bytes]))];
    const [want, ...others] = models.map((model) => model.runSync(feeds));
    for (const got of others)
      for (const [name, y] of Object.entries(want!)) expectSameBytes(got[name], y, name);
    for (const model of models) model.dispose();
  });

  test("a delta from its base of 8 bits, and back", () => {
    const base = save(eight);
    expect(applyDelta(base, createDelta(base, bytes))).toEqual(bytes);
    expect(applyDelta(bytes, createDelta(bytes, base))).toEqual(base);
  });
});

const graph = inFourBits(denseGraph({ k: 9, n: 5 }));
const valid = writeArtifact(graph);
const weights = [...graph.constants].find(([, value]) => isWeight(value))![0];

test("the content hash is of the codes, however they lie", () => {
  const { stored, shapes } = packInt4(graph.constants);
  expect(stored.get(weights)!.dtype).toBe("u8");
  const plain = { ...metadataOf(valid), version: "4" } as Record<string, string>;
  delete plain[`int4 ${weights}`];
  const unpacked = sealed(readSafetensors(valid).tensors, plain);
  expect(Object.keys(shapes)).toEqual([`int4 ${weights}`]);
  expectSame(readArtifact(unpacked).graph.constants.get(weights), graph.constants.get(weights)!);
  expect(readArtifact(writeArtifact(readArtifact(unpacked).graph))).toEqual(readArtifact(valid));
});

describe("a shape that lies is a typed error, whole or tensor by tensor", () => {
  const { stored } = packInt4(readSafetensors(valid).tensors);
  const own = `int4 ${weights}`;
  const forged = (metadata: Record<string, string>) => sealed(stored, { ...metadataOf(valid), ...metadata });

  test("the right one is read", () =>
    expect(readArtifact(forged({})).graph.constants.size).toBeGreaterThan(0));

  const lies: Record<string, [Record<string, string>, RegExp]> = {
    "longer than its bytes": [{ [own]: "9,7" }, /length is not that of its shape: expected 32 bytes for I4/],
    "shorter than its bytes": [{ [own]: "5,4" }, /length is not that of its shape/],
    "as long as memory": [{ [own]: `${2 ** 40},${2 ** 12}` }, /length is not that/],
    "beyond numbers": [{ [own]: `${2 ** 40},${2 ** 40}` }, /shape is not one/],
    "of many dimensions": [{ [own]: new Array(1000).fill(1).join() }, /at most 64/],
    negative: [{ [own]: "-5,-9" }, /shape is not one/],
    "half a number": [{ [own]: "4.5,10" }, /shape is not one/],
    "no number": [{ [own]: "five,nine" }, /shape is not one/],
    empty: [{ [own]: "" }, /length is not that/],
    "of another tensor": [
      { [`int4 ${[...stored].find(([, t]) => t.dtype === "f32")![0]}`]: "1" },
      /length is/,
    ],
    "another of as many codes": [{ [own]: "45,1" }, /./],
  };
  test.each(Object.entries(lies))("%s", (name, [metadata, message]) => {
    const bytes = forged(metadata);
    for (const read of [() => loadSync(readArtifact(bytes).graph), () => loadSync(bytes)]) {
      expect(read).toThrow(message);
      if (name !== "another of as many codes") expect(read).toThrow(FormatError);
    }
  });

  test("any bytes of the file changed: only OctetteErrors, soon", () => {
    expectOnlyOctetteErrors((bytes) => readArtifact(bytes), valid);
    expectOnlyOctetteErrors((bytes) => loadSync(bytes).dispose(), valid, 100);
  });
});
