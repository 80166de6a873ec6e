// Samples that come one after the other: bounded, balanced, the same for the same pushes, and the same again after they were kept.

import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { createSamples, type Input, readSamples, type SamplesOptions, tensor } from "../../src/index";
import { expectOnlyOctetteErrors } from "../formats/fixtures";

const inputs: Input[] = [{ name: "x", dtype: "f32", shape: ["n", 2] }];
const classes = ["walk", "run", "rest"];

/** Pushes samples whose numbers tell when they came. */
function filled(
  labels: readonly number[],
  options: SamplesOptions = {},
  samples = createSamples(inputs, options),
) {
  for (const label of labels) {
    const at = samples.pushed;
    samples.push({ x: Float32Array.of(at, -at) }, label);
  }
  return samples;
}

/** When the samples that are here came, and their labels. */
function seen(samples: ReturnType<typeof createSamples>): [number[], number[]] {
  const data = samples.dataset();
  const [feeds] = data.batches(1e6);
  const { x } = feeds as unknown as { x: { data: Float32Array } };
  return [[...x.data].filter((_, i) => i % 2 === 0), [...data.labels!]];
}

const someLabels = fc.array(fc.integer({ min: 0, max: 2 }), { minLength: 1, maxLength: 60 });
const someOptions = fc.record({
  capacity: fc.integer({ min: 1, max: 8 }),
  replay: fc.integer({ min: 0, max: 5 }),
  balance: fc.boolean(),
  seed: fc.integer({ min: 0, max: 99 }),
});

test("the latest stay, in order; the oldest goes", () => {
  const samples = filled([0, 0, 0, 1, 1], { capacity: 3, replay: 0, balance: false });
  expect(seen(samples)).toEqual([
    [2, 3, 4],
    [0, 1, 1],
  ]);
  expect([samples.count, samples.pushed, samples.counts]).toEqual([
    3,
    5,
    new Map([
      [0, 1],
      [1, 2],
    ]),
  ]);
});

test("balanced, a rare class stays however many others come", () => {
  const samples = filled([2, ...Array(50).fill(0), 1, ...Array(50).fill(0)], { capacity: 6, replay: 4 });
  const [, labels] = seen(samples);
  expect(labels.filter((label) => label === 1)).toHaveLength(1);
  expect(labels.filter((label) => label === 2)).toHaveLength(1);
});

test("earlier samples are from all of what left", () => {
  const firsts = Array.from({ length: 200 }, (_, seed) => {
    const [came] = seen(filled(Array(100).fill(0), { capacity: 1, replay: 1, seed }));
    return came[0]!;
  });
  // Uniform over 0…98 by the seed: the mean of 200 is within four standard errors.
  const mean = firsts.reduce((sum, at) => sum + at, 0) / 200;
  expect(Math.abs(mean - 49)).toBeLessThan((4 * 28.6) / Math.sqrt(200));
});

test("equal pushes give equal samples, kept and read in between or not; no room is exceeded", () => {
  fc.assert(
    fc.property(someLabels, someLabels, someOptions, (before, after, options) => {
      const whole = filled([...before, ...after], options);
      const kept = filled(before, options).save();
      const again = filled(after, options, readSamples(kept, inputs, options));
      expect(seen(again)).toEqual(seen(whole));
      expect(again.save()).toEqual(whole.save());
      expect(whole.count).toBeLessThanOrEqual(options.capacity + options.replay);
      const [came, labels] = seen(whole);
      expect(new Set(came).size).toBe(came.length);
      expect(came.map((at) => [...before, ...after][at])).toEqual(labels);
    }),
    { numRuns: 60 },
  );
});

test("a data set is left alone by later pushes", () => {
  const samples = filled([0, 1], { capacity: 2 });
  const data = samples.dataset();
  filled([1, 1], {}, samples);
  expect([...data.labels!]).toEqual([0, 1]);
});

test("several at once, by class names, and from an async iterable until it is aborted", async () => {
  const samples = createSamples(inputs, { classes });
  samples.push({ x: tensor("f32", [2, 2], [1, 2, 3, 4]) }, ["run", "walk"]);
  samples.push({ x: Float32Array.of(5, 6) }, "rest");
  expect(seen(samples)).toEqual([
    [1, 3, 5],
    [1, 0, 2],
  ]);
  const stop = new AbortController();
  async function* endless() {
    for (let i = 0; ; i++) {
      yield { feeds: { x: Float32Array.of(i, i) }, label: i % 3 };
      if (i === 8) stop.abort(new Error("enough"));
    }
  }
  await expect(samples.pushAll(endless(), stop.signal)).rejects.toThrow("enough");
  await expect(samples.pushAll(5 as never)).rejects.toThrow("samples: cannot be iterated");
  for (const other of [null, undefined, 7, {}])
    await expect(samples.pushAll([other as never])).rejects.toThrow("label: there is none");
  expect(samples.pushed).toBeGreaterThanOrEqual(12);
});

test("bytes stay bytes, channels last where the model's are", () => {
  const image: Input = {
    name: "image",
    dtype: "f32",
    shape: ["n", 3, 2, 2],
    preprocessing: { layout: "nhwc", scale: 1 / 255, mean: [0], std: [1] },
  };
  const samples = createSamples([image]);
  samples.push({ image: new Uint8ClampedArray(12).fill(255) }, 0);
  const { image: fed } = samples.dataset().at([0]) as unknown as {
    image: { shape: number[]; data: Float32Array };
  };
  expect([fed.shape, [...fed.data]]).toEqual([[1, 3, 2, 2], Array(12).fill(1)]);
});

describe("refused", () => {
  const samples = () => createSamples(inputs, { classes });
  test.each<[string, () => void, string]>([
    [
      "an unknown class",
      () => samples().push({ x: new Float32Array(2) }, "swim"),
      'label: unknown class: expected one of walk, run, rest, or 0 to 2, got "swim"',
    ],
    ["a label out of range", () => samples().push({ x: new Float32Array(2) }, 3), "unknown class"],
    ["no label", () => samples().push({ x: new Float32Array(2) }, []), "label: there is none"],
    [
      "another size",
      () => samples().push({ x: new Float32Array(3) }, 0),
      'input "x": wrong number of samples: expected 1 of [2], got 3 elements',
    ],
    ["another input", () => samples().push({ y: new Float32Array(2) }, 0), "the model has no such input"],
    ["no input", () => samples().push({}, 0), "is neither a tensor nor a typed array"],
    [
      "bytes that nothing normalizes",
      () => samples().push({ x: new Uint8Array(2) }, 0),
      "has the wrong type",
    ],
    ["no room", () => createSamples(inputs, { capacity: 0 }), "capacity: an option does not fit"],
    ["a data set of none", () => samples().dataset(), "samples: there are none"],
    [
      "bytes of other options",
      () => readSamples(filled([0], { seed: 1 }).save(), inputs),
      "are of other options",
    ],
  ])("%s", (_, act, message) => expect(act).toThrow(message));

  test("and none of several is added where one is wrong", () => {
    const some = samples();
    expect(() => some.push({ x: new Float32Array(4) }, ["run", "swim"])).toThrow("unknown class");
    expect(some.count).toBe(0);
  });

  test("and NaN, which no tuning takes, so that it is not kept", () => {
    const inputs: Input[] = [{ name: "x", dtype: "f32", shape: ["n", 2] }];
    const samples = createSamples(inputs);
    const push = () => samples.push({ x: Float32Array.of(1, 2, 3, Number.NaN) }, [0, 1]);
    expect(push).toThrow('input "x": does not fit: expected numbers, got NaN');
    expect(samples.count).toBe(0);
  });

  test("damaged bytes, as typed errors", () => {
    const bytes = filled([0, 1, 2, 0], { capacity: 2 }).save();
    expectOnlyOctetteErrors((some) => readSamples(some, inputs, { capacity: 2 }), bytes);
  });
});
