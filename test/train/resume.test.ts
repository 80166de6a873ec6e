// Resuming from checkpoints that nobody's training wrote: sealed, so that only their content can give them away.

import { beforeAll, describe, expect, test } from "vitest";
import { OctetteError } from "../../src/errors";
import { Random } from "../../src/graph/random";
import { type Tensor, tensor } from "../../src/graph/tensor";
import { createDataset, quantize, save, type TuneOptions, tune } from "../../src/index";
import { Linear, ReLU, Sequential, trace } from "../../src/nn/index";
import { type CheckpointState, readCheckpoint, writeCheckpoint } from "../../src/train/checkpoint/checkpoint";

const float = trace(new Sequential(new Linear(6, 16), new ReLU(), new Linear(16, 3)));
const random = new Random(1);
const rows = 64;
const [{ name }] = float.inputs as [(typeof float.inputs)[0]];
const x = tensor(
  "f32",
  [rows, 6],
  Float32Array.from({ length: rows * 6 }, () => 2 * random.uniform() - 1),
);
const labels = tensor(
  "i32",
  [rows],
  Array.from({ length: rows }, (_, i) => (x.data[6 * i]! > 0 ? 1 : x.data[6 * i + 1]! > 0 ? 2 : 0)),
);
const data = createDataset({ [name]: x }, float.inputs, { labels });
const { graph } = await quantize(float, { calibration: data.batches(32) });
const options: TuneOptions = { data, epochs: 2, batch: 16, ranges: { kind: "moving" } };

/** A checkpoint in the second epoch. */
let valid: CheckpointState;
let whole: Uint8Array;
beforeAll(async () => {
  const saved: CheckpointState[] = [];
  const checkpoint = { every: 1, save: (state: CheckpointState) => void saved.push(structuredClone(state)) };
  whole = save((await tune(graph, { ...options, checkpoint })).graph);
  valid = saved.at(-2)!;
  expect(valid.progress.epochs).toHaveLength(1);
});

const resume = (state: unknown) =>
  tune(graph, { ...options, checkpoint: { state: state as CheckpointState, save() {} } });
const sealed = (state: CheckpointState) => readCheckpoint(writeCheckpoint(state));
const withProgress = (progress: object) =>
  sealed({ ...valid, progress: { ...valid.progress, ...progress } as CheckpointState["progress"] });

test("the valid one ends in the same bytes", async () => {
  expect(save((await resume(sealed(valid))).graph)).toEqual(whole);
});

describe("a typed error says which part is wrong", () => {
  const cases: [string, () => unknown, RegExp][] = [
    ["options that are not JSON", () => withProgress({ identity: "{" }), /of another run: expected losses/],
    ["options that are null", () => withProgress({ identity: "null" }), /of another run/],
    ["no options", () => withProgress({ identity: 5 }), /progress\.identity: .*expected string, got number/],
    ["epochs that are no list", () => withProgress({ epochs: 3 }), /progress\.epochs: .*array, got number/],
    ["an epoch that is none", () => withProgress({ epochs: [null] }), /progress\.epochs\.0: .*got null/],
    [
      "too many epochs",
      () => withProgress({ epochs: Array(9).fill(valid.progress.epochs![0 as never]) }),
      /epochs/,
    ],
    ["a loss that is a text", () => withProgress({ lossAtFirst: "1" }), /progress\.lossAtFirst/],
    ["nothing that is best", () => withProgress({ best: null }), /progress\.best: .*got null/],
    [
      "a best epoch that was not",
      () => withProgress({ best: { epoch: 7, validation: { accuracy: 1, loss: 1 } } }),
      /best\.epoch: .*expected 0 to 1, got 7/,
    ],
    ["half a step", () => withProgress({ step: 4.5 }), /progress\.step: .*got 4\.5/],
    ["a step beyond the end", () => withProgress({ step: 1e15 }), /progress\.step/],
    [
      "a tensor that is missing",
      () => sealed({ ...valid, tensors: new Map([...valid.tensors].slice(1)) }),
      /tensor ".*got none/,
    ],
    [
      "a tensor of another size",
      () =>
        sealed({
          ...valid,
          tensors: new Map(
            [...valid.tensors].map(([k, t]): [string, Tensor] => [
              k,
              { ...t, shape: [1], data: t.data.slice(0, 1) },
            ]),
          ),
        }),
      /tensor ".*expected .* of \d+, got .* of 1/,
    ],
    [
      "what JSON left of it",
      () => JSON.parse(JSON.stringify(valid)),
      /tensors: .*expected a Map.*JSON does not/,
    ],
    ["nothing but a name", () => ({ model: valid.model }), /progress: .*got undefined/],
    ["no checkpoint", () => 5, /progress: .*got undefined/],
  ];
  test.each(cases)("%s", async (_, state, message) => {
    const error = await resume(state()).catch((cause) => cause);
    expect(error).toBeInstanceOf(OctetteError);
    expect(error.message).toMatch(message);
    expect(error.message.length).toBeLessThan(4000);
  });
});

/** Any part of a value in place of another. */
function mutated(value: unknown, pick: Random): unknown {
  const strange = [null, -1, 1e300, "text", [], {}, true, Number.NaN, 0.5];
  if (typeof value !== "object" || value === null || pick.below(6) === 0)
    return strange[pick.below(strange.length)];
  const keys = Object.keys(value);
  if (keys.length === 0) return strange[pick.below(strange.length)];
  const key = keys[pick.below(keys.length)]!;
  const copy = (Array.isArray(value) ? [...value] : { ...value }) as Record<string, unknown>;
  if (pick.below(5) === 0 && !Array.isArray(copy)) delete copy[key];
  else copy[key] = mutated(copy[key], pick);
  return copy;
}

/** One of the tensors with numbers that no training makes. */
function withOddNumbers(tensors: CheckpointState["tensors"], pick: Random): Map<string, Tensor> {
  const [odd, at] = [[Number.NaN, -Infinity, 1e38, -1][pick.below(4)]!, pick.below(tensors.size)];
  return new Map(
    [...tensors].map(([key, value], i) => [
      key,
      i === at ? { ...value, data: value.data.slice().fill(odd) } : value,
    ]),
  );
}

test("300 checkpoints with something changed: resumed, or a typed error", {
  timeout: 120_000,
}, async () => {
  const pick = new Random(5);
  let refused = 0;
  for (let i = 0; i < 300; i++) {
    const progress = (
      i % 3 === 0 ? valid.progress : mutated(valid.progress, pick)
    ) as CheckpointState["progress"];
    const tensors = i % 3 === 0 ? withOddNumbers(valid.tensors, pick) : valid.tensors;
    const state = await resume({ ...valid, tensors, progress }).catch((cause) => cause);
    if (!(state instanceof Error)) continue;
    expect(state).toBeInstanceOf(OctetteError);
    refused++;
  }
  expect(refused).toBeGreaterThan(100);
});
