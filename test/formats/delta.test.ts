// Deltas: applied to their base they give the tuned artifact to the byte, they are small, and anything else is a typed error.

import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { FormatError, OctetteError } from "../../src/errors";
import { addDifferences, differencesOf } from "../../src/formats/differences";
import { readArtifact, writeArtifact } from "../../src/formats/octette";
import { readSafetensors } from "../../src/formats/safetensors";
import type { Graph } from "../../src/graph/graph";
import { Random } from "../../src/graph/random";
import { bytesIn, isVector, type Tensor, tensor, viewOf } from "../../src/graph/tensor";
import { applyDelta, createDelta, save, verify } from "../../src/index";
import { convGraph, denseGraph, networkGraph, opGraph } from "../check-model";
import { anyTensor, expectOnlyOctetteErrors, expectSame } from "./fixtures";
import { sealed } from "./sealed";

/** The graph with other constants. */
function changed(graph: Graph, change: (tensor: Tensor, name: string) => Tensor | undefined): Graph {
  const constants = [...graph.constants].map(
    ([name, value]) => [name, change(value, name) ?? value] as const,
  );
  return { ...graph, constants: new Map(constants) };
}

/** Weight codes; zero points are i8 too, and must stay 0. */
const isWeight = ({ dtype, shape }: Tensor) => dtype === "i8" && !isVector(shape);

/** The graph with a share of its weight codes moved by 1. */
function moved(graph: Graph, share: number, seed = 1): Graph {
  const random = new Random(seed);
  return changed(graph, (value) => {
    if (!isWeight(value)) return undefined;
    const move = (code: number) => (code === 127 ? -1 : code === -127 || random.below(2) ? 1 : -1);
    const data = value.data.map((code) => (random.uniform() < share ? code + move(code) : code));
    return { ...value, data };
  });
}

const graph = networkGraph();
const base = save(graph);
const tuned = save(moved(graph, 0.1));
const delta = createDelta(base, tuned);

describe("the result is the tuned artifact, to the byte", () => {
  test("its hashes and its self-test too", async () => {
    const result = applyDelta(base, delta);
    expect(result).toEqual(tuned);
    expect(await verify(result)).toBe(true);
  });

  test("the same bytes when made again", () => expect(createDelta(base, tuned)).toEqual(delta));

  const graphs: Record<string, Graph> = {
    float: networkGraph({ quantized: false }),
    "i8 codes": convGraph({ cin: 3, cout: 5, k: 3, h: 5, w: 4, codes: "i8", activation: "Clip" }),
    dynamic: denseGraph({ k: 9, n: 4, mode: "dynamic" }),
    "a float result": denseGraph({ k: 9, n: 4, mode: "static-float" }),
    "without weights": opGraph({
      op: "Add",
      shapes: [
        ["batch", 4],
        ["batch", 4],
      ],
      activation: "Relu",
    }),
  };
  test.each(Object.entries(graphs))("%s: every constant another", (_, graph) => {
    const other = changed(graph, (value, name) => {
      const { dtype, shape, data } = value;
      const isCode = isWeight(value) || dtype === "i32";
      if (isCode)
        return tensor(
          dtype,
          shape,
          Array.from(data, (x, i) => (x + 7 * i + 1) % 100),
        );
      if (dtype !== "f32" || name.endsWith("_scale")) return undefined;
      return tensor(
        dtype,
        shape,
        Array.from(data, (x, i) => [x, -x, x * 1.01][i % 3]!),
      );
    });
    const [from, to] = [writeArtifact(graph), writeArtifact(other)];
    expect(applyDelta(from, createDelta(from, to))).toEqual(to);
  });

  test("nothing but scales, provenance or the self-test is another, or nothing at all", () => {
    // Scales of activations, and those of biases, which are multiples of them.
    const scaled = changed(graph, ({ dtype, shape, data }, name) =>
      dtype === "f32" && (shape.length === 0 || name.endsWith("_b_scale"))
        ? tensor(
            dtype,
            shape,
            Array.from(data, (scale) => 2 * scale),
          )
        : undefined,
    );
    const others = [
      writeArtifact(scaled),
      writeArtifact({ ...graph, provenance: { tuned: 'on "nothing"', at: [1, null] } }),
      writeArtifact(graph, { selfTest: { seed: 5, hash: "0".repeat(64) } }),
      writeArtifact(graph),
      base,
    ];
    for (const other of others) {
      expect(applyDelta(base, createDelta(base, other))).toEqual(other);
      expect(applyDelta(other, createDelta(other, base))).toEqual(base);
    }
  });

  test("a base of the same content but of another provenance will do", () => {
    const twin = writeArtifact({ ...graph, provenance: { copy: 1 } });
    expect(twin).not.toEqual(base);
    expect(applyDelta(twin, delta)).toEqual(tuned);
  });

  test("any two tensors of a type, to the bit", () => {
    fc.assert(
      fc.property(anyTensor, fc.nat(2 ** 31), (from, seed) => {
        const random = new Random(seed);
        const bytes = Uint8Array.from(
          bytesIn(from.data),
          (byte) => byte ^ (random.below(3) ? 0 : random.below(256)),
        );
        const to = { ...from, data: viewOf(from.dtype, bytes.buffer, 0, from.data.length) };
        expectSame(addDifferences(from, differencesOf(from, to)), to);
      }),
      { numRuns: 300 },
    );
  });
});

describe("its size", () => {
  const codes = [...graph.constants.values()].filter(isWeight).reduce((n, { data }) => n + data.length, 0);
  const bytesOf = (share: number) => {
    const { tensors } = readSafetensors(createDelta(base, save(moved(graph, share, 3))));
    return tensors.get("differences")!.data.length;
  };

  test.each([
    0.01, 0.1, 0.5, 0.9,
  ])("a share of %f of the codes moved takes little more than that is unlikely", (p) => {
    const entropy = ((p - p * Math.log2(p) - (1 - p) * Math.log2(1 - p)) * codes) / 8;
    expect(bytesOf(p)).toBeLessThan(1.1 * entropy + 64);
  });

  test("nothing moved takes next to nothing", () => expect(bytesOf(0)).toBeLessThanOrEqual(8));
});

/** The delta with other metadata or tensors, and the hash that it then has. */
function forged(
  metadata: Record<string, string>,
  tensors: ReadonlyMap<string, Tensor> = readSafetensors(delta).tensors,
) {
  return sealed(tensors, { ...readSafetensors(delta).metadata, ...metadata });
}
const coded = (bytes: ArrayLike<number>) => new Map([["differences", tensor("u8", [bytes.length], bytes)]]);

describe("what cannot be applied is told", () => {
  test("another base, by both hashes and by name", () => {
    const [right, wrong] = [readArtifact(base), readArtifact(tuned)].map(({ contentHash }) => contentHash);
    const apply = () => applyDelta(tuned, delta, { base: "b.octette", delta: "d.delta" });
    expect(apply).toThrow(OctetteError);
    expect(apply).toThrow(
      `d.delta: made for another base: expected content hash ${right}, got ${wrong} of b.octette. Apply it to the model`,
    );
  });

  test("a base that states the right content hash and has other weights", () => {
    const { metadata } = readSafetensors(base);
    const { tensors } = readSafetensors(tuned);
    const liar = sealed(tensors, metadata);
    expect(readArtifact(liar).contentHash).toBe(readArtifact(base).contentHash);
    expect(() => applyDelta(liar, delta)).toThrow(/made for another base/);
    // What it truly holds is what a delta for it names.
    expect(readArtifact(applyDelta(liar, createDelta(liar, base))).fileHash).toBe(
      readArtifact(base).fileHash,
    );
  });

  const own = readSafetensors(delta).tensors.get("differences")!.data;
  const cases: Record<string, [Uint8Array, RegExp]> = {
    "a model": [base, /d\.delta: not an octette delta: .*got "octette".*octette delta BASE/],
    "a newer version": [forged({ version: "3" }), /another version.*expected version 2, got 3.*Update/],
    "an older version": [forged({ version: "1" }), /another version.*got 1.*Make it anew.*octette delta/],
    "one byte less": [delta.slice(0, -1), /truncated/],
    "a result of another hash": [
      forged({ result: "0".repeat(64) }),
      /the delta gives another model than it was made for/,
    ],
    "numbers that are no JSON": [forged({ numbers: "[" }), /its numbers are not JSON/],
    "numbers that are no list": [forged({ numbers: "{}" }), /its numbers are not a list/],
    "a number that is not there": [forged({ numbers: '[[1000000,"1"]]' }), /no such number: got 1000000/],
    "a number before the first": [forged({ numbers: '[[-1,"1"]]' }), /no such number/],
    "a number between two": [forged({ numbers: '[[0.25,"1"]]' }), /no such number/],
    "a number that is none": [forged({ numbers: "[[0,1]]" }), /no such number/],
    "a change that is none": [forged({ numbers: "[null]" }), /no such number/],
    "a text instead of a number": [
      forged({ numbers: '[[0,"\\"x\\""]]' }),
      /another model than it was made for/,
    ],
    "no differences": [forged({}, new Map()), /no bytes "differences": got undefined/],
    "differences that are floats": [
      forged({}, new Map([["differences", tensor("f32", [1], [1])]])),
      /got f32/,
    ],
    "differences that end too soon": [forged({}, coded(own.slice(0, -1))), /it ends too soon/],
    "differences of nothing": [forged({}, coded([])), /it ends too soon/],
    "differences that go on": [forged({}, coded([...own, 0])), /it goes on after its end/],
    "other differences": [
      forged({}, coded(own.map((byte, i) => (i === 9 ? byte ^ 1 : byte)))),
      /damaged|result/,
    ],
  };
  test.each(Object.entries(cases))("%s", (_, [bytes, message]) => {
    const apply = () => applyDelta(base, bytes, { delta: "d.delta" });
    expect(apply).toThrow(FormatError);
    expect(apply).toThrow(message);
  });

  test("a damaged base", () => {
    const damaged = base.slice();
    damaged[damaged.length - 1]! ^= 1;
    expect(() => applyDelta(damaged, delta, { base: "b.octette" })).toThrow(
      /b\.octette.*: the file was changed/,
    );
    expect(() => createDelta(base, damaged, { tuned: "t.octette" })).toThrow(
      /t\.octette.*: the file was changed/,
    );
  });

  test("models that differ in more than numbers", () => {
    const create = (other: Graph) => () => createDelta(base, save(other), { tuned: "t.octette" });
    const hint = /t\.octette: differs from its base in more than numbers: .*send this one whole/;
    expect(create(networkGraph({ quantized: false }))).toThrow(hint);
    expect(create({ ...graph, name: "another" })).toThrow(hint);
    expect(create(denseGraph({ k: 9, n: 4 }))).toThrow(/expected tensor ".*" of .*, got none/);
  });

  test("bytes of any kind changed: only OctetteErrors, soon", () =>
    expectOnlyOctetteErrors((bytes) => applyDelta(base, bytes), delta));

  test("differences of any bytes, their hash right: only FormatErrors", () => {
    const random = new Random(4);
    for (let i = 0; i < 200; i++) {
      const bytes = Uint8Array.from({ length: random.below(3000) }, () => random.below(256));
      expect(() => applyDelta(base, forged({}, coded(bytes)))).toThrow(FormatError);
    }
  });
});
