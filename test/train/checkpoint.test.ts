// Checkpoints: what is written comes back to the bit, and of anything else there is a typed error.

import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { FormatError, OctetteError } from "../../src/errors";
import { readSafetensors } from "../../src/formats/safetensors";
import { Random } from "../../src/graph/random";
import { type Tensor, tensor } from "../../src/graph/tensor";
import {
  CHECKPOINT_VERSION,
  type CheckpointState,
  readCheckpoint,
  writeCheckpoint,
} from "../../src/train/checkpoint/checkpoint";
import { anyTensor, expectOnlyOctetteErrors, expectSame } from "../formats/fixtures";
import { sealed } from "../formats/sealed";

const random = new Random(3);
const state: CheckpointState = {
  model: "0123456789abcdef".repeat(4),
  tensors: new Map([
    [
      "master/fc.weight",
      tensor(
        "f32",
        [3, 17],
        Array.from({ length: 51 }, () => random.uniform()),
      ),
    ],
    ["momentum/fc.weight", tensor("f32", [3, 17], new Array(51).fill(-0))],
    ["best/fc.weight", tensor("f32", [3, 17], [Number.NaN, Infinity, ...new Array(49).fill(0)])],
    ["step", tensor("i32", [], [7])],
  ]),
  progress: {
    epoch: 2,
    step: 41,
    random: [...random.state],
    best: -Infinity,
    schedule: { kind: "cosine", warmup: 10, done: false, until: null },
    scales: { 'é, "quoted"': 0.1, y: 2 ** -149, zero: -0 },
    losses: [Number.NaN, 1e300],
  },
};

function expectSameState(got: CheckpointState, want: CheckpointState): void {
  expect([got.model, got.progress]).toEqual([want.model, want.progress]);
  expect([...got.tensors.keys()].sort()).toEqual([...want.tensors.keys()].sort());
  for (const [name, value] of want.tensors) expectSame(got.tensors.get(name), value);
}

/** The same file with other tensors or metadata, and the hash that it then has. */
function forged(metadata: Record<string, string>, tensors = readSafetensors(valid).tensors): Uint8Array {
  return sealed(tensors, { ...readSafetensors(valid).metadata, ...metadata });
}

const valid = writeCheckpoint(state);

describe("what is written comes back", () => {
  test("every kind of number, and the same bytes when written again", () => {
    const read = readCheckpoint(valid);
    expectSameState(read, state);
    expect(writeCheckpoint(read)).toEqual(valid);
  });

  test("from an ArrayBuffer too, as a page reads one", () => {
    expectSameState(readCheckpoint(valid.slice().buffer), state);
  });

  test("a state that went through JSON is refused, one that was cloned is not", () => {
    for (const damaged of [
      JSON.parse(JSON.stringify(state)),
      { ...state, tensors: new Map([["w", {}]]) },
      {},
    ]) {
      expect(() => writeCheckpoint(damaged)).toThrow(OctetteError);
      expect(() => writeCheckpoint(damaged)).toThrow(/checkpoint: tensors must be a Map.*structuredClone/);
    }
    expect(writeCheckpoint(structuredClone(state))).toEqual(valid);
  });

  test("any tensors of any names, and any JSON", () => {
    const tensors = fc.dictionary(
      fc.string().filter((name) => name !== "__metadata__"),
      anyTensor,
      { maxKeys: 5, noNullPrototype: true },
    );
    fc.assert(
      fc.property(tensors, fc.dictionary(fc.string(), fc.jsonValue()), (tensors, progress) => {
        const some = { ...state, tensors: new Map<string, Tensor>(Object.entries(tensors)) };
        const written = { ...some, progress: JSON.parse(JSON.stringify(progress)) };
        expectSameState(readCheckpoint(writeCheckpoint(written)), written);
      }),
    );
  });

  test("tensors are views of the file, not copies", () => {
    const { tensors } = readCheckpoint(valid);
    for (const { data } of tensors.values()) expect(data.buffer).toBe(valid.buffer);
  });

  test("it is a safetensors file that names its kind", () => {
    const { tensors, metadata } = readSafetensors(valid);
    expect(metadata).toMatchObject({ format: "octette-checkpoint", version: `${CHECKPOINT_VERSION}` });
    expect([...tensors.keys()]).toContain("master/fc.weight");
  });
});

describe("anything else is a typed error", () => {
  const cases: Record<string, [bytes: Uint8Array, message: RegExp]> = {
    nothing: [new Uint8Array(0), /c\.ckpt at byte 0: truncated/],
    "another file": [new TextEncoder().encode("not a checkpoint"), /c\.ckpt: not an octette checkpoint/],
    "a model": [forged({ format: "octette" }), /not an octette checkpoint: .*got "octette"/],
    "a newer version": [forged({ version: "3" }), /another version.*expected version 2, got 3.*Update/],
    "an older version": [forged({ version: "1" }), /another version.*got 1.*Make it anew/],
    "one byte less": [valid.slice(0, -1), /truncated/],
    "one byte more": [Uint8Array.of(...valid, 0), /bytes after the last tensor/],
    "a model without a hash": [forged({ model: "mine" }), /of which model.*got "mine"/],
    "progress that is no JSON": [forged({ progress: "{" }), /progress is not JSON/],
    "progress that is a list": [forged({ progress: "[]" }), /progress is not an object/],
    "progress nested without end": [
      forged({ progress: "[".repeat(1e5) + "]".repeat(1e5) }),
      /progress is not/,
    ],
  };
  test.each(Object.entries(cases))("%s", (_, [bytes, message]) => {
    expect(() => readCheckpoint(bytes, "c.ckpt")).toThrow(FormatError);
    expect(() => readCheckpoint(bytes, "c.ckpt")).toThrow(message);
  });

  test("tensors that there are no numbers for", () => {
    const text = Buffer.from(valid).toString("latin1").replace('"I32","shape":[]', '"F32","shape":[]');
    const changed = Uint8Array.from(Buffer.from(text, "latin1"));
    expect(() => readCheckpoint(changed)).toThrow(/changed or damaged/);
  });

  test("with any bit changed, wherever it is", () => {
    for (let at = 0; at < valid.length; at++) {
      const bytes = valid.slice();
      bytes[at]! ^= 1 << (at & 7);
      expect(() => readCheckpoint(bytes)).toThrow(OctetteError);
    }
  });

  test("cut anywhere", () => {
    for (let length = 0; length < valid.length; length++)
      expect(() => readCheckpoint(valid.subarray(0, length))).toThrow(FormatError);
  });

  test("any bytes of it changed: only OctetteErrors, soon", () =>
    expectOnlyOctetteErrors((bytes) => readCheckpoint(bytes), valid));
});
