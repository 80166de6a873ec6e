// A learner, with workers and without: it runs as a model does, learns to the bytes that tune gives, and goes on through all that can happen.

import { mkdtempSync, writeFileSync } from "node:fs";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeEach, describe, expect, test, vi } from "vitest";
import { applyDelta, createDelta, loadSync, readArtifact, save, tune } from "../../src/index";
import { createLearner } from "../../src/learner/index";
import { WorkerHand } from "../../src/learner/workers";
import {
  calibrated,
  data,
  hands,
  heldOut,
  image,
  learnerOf,
  poisoned,
  quick,
  workerScript,
} from "./fixtures";

const expected = save((await tune(readArtifact(calibrated).graph, quick)).graph);
using before = loadSync(calibrated);
using after = loadSync(expected);
const [answer, tunedAnswer] = [before, after].map((model) => model.runSync({ image }).logits!.data);

describe.each(hands)("%s", (_, options) => {
  test("it runs as a model does, and leaves feeds to the caller", async () => {
    using learner = await learnerOf(options);
    expect(learner.hasWorker).toBe(options.worker !== false);
    expect([learner.inputs, learner.outputs]).toEqual([before.inputs, before.outputs]);
    const buffer = Buffer.from(image);
    const shared = new Uint8Array(new SharedArrayBuffer(64));
    shared.set(image);
    for (const fed of [image, buffer, shared, { dtype: "u8" as const, shape: [1, 1, 8, 8], data: image }])
      expect((await learner.run({ image: fed })).logits!.data).toEqual(answer);
    expect([image.length, buffer.length]).toEqual([64, 64]);
    const into = { logits: new Float32Array(10) };
    expect((await learner.run({ image }, into)).logits!.data).toBe(into.logits);
    expect(into.logits).toEqual(answer);
    await expect(learner.run({})).rejects.toMatchObject({ code: "argument", where: 'input "image"' });
    await expect(learner.run({ image }, { logits: new Float32Array(9) })).rejects.toThrow("does not fit");
  });

  test("it learns to the bytes of tune while it runs, and goes on with what it learned", async () => {
    using learner = await learnerOf(options);
    const [steps, runs, stages] = [[] as number[], [] as Promise<unknown>[], new Set<string>()];
    const learned = await learner.tune({
      ...quick,
      onBegin: ({ validated }) => expect(validated).toBe(32),
      onStep: ({ step }) => {
        steps.push(step);
        runs.push(learner.run({ image }).then(({ logits }) => logits!.data));
      },
      onProgress: ({ stage }) => stages.add(stage),
    });
    expect(learned.isBetter).toBe(true);
    expect(learned.artifact).toEqual(expected);
    expect(learner.save()).toEqual(expected);
    expect(steps).toEqual(Array.from({ length: 18 }, (_, i) => i + 1));
    expect([...stages]).toEqual(["tune"]);
    for (const run of await Promise.all(runs)) expect([answer, tunedAnswer]).toContainEqual(run);
    expect((await learner.run({ image })).logits!.data).toEqual(tunedAnswer);
  });

  test("runs asked for before a swap are answered by the model before, those after it by the next", async () => {
    using learner = await learnerOf(options);
    const runs = Array.from({ length: 20 }, () => learner.run({ image }));
    const swap = learner.replace(expected);
    for (const { logits } of await Promise.all(runs)) expect(logits!.data).toEqual(answer);
    await swap;
    expect((await learner.run({ image })).logits!.data).toEqual(tunedAnswer);
  });

  test("a model that is put in while another is tuned stays", async () => {
    using learner = await learnerOf(options);
    let replaced: Promise<void> | undefined;
    const onStep = () => {
      replaced ??= learner.replace(calibrated);
    };
    const { artifact, isBetter, reason } = await learner.tune({ ...quick, onStep });
    await replaced;
    expect([isBetter, artifact]).toEqual([true, expected]);
    expect(learner.save()).toEqual(calibrated);
    expect(reason).toBe("another model was put in meanwhile, and stays");
    expect((await learner.run({ image })).logits!.data).toEqual(answer);
  });

  test("models and deltas that wait for others are put in in the order in which they were asked for", async () => {
    using learner = await learnerOf(options);
    const back = createDelta(expected, calibrated);
    const refused = () => learner.replace(image).catch(({ code }) => code);
    const asked = [refused(), learner.replace(expected), learner.apply(back)];
    // It was read.
    back.fill(0);
    expect(await Promise.all(asked)).toEqual(["format", undefined, undefined]);
    expect(learner.save()).toEqual(calibrated);
    const later: Promise<unknown>[] = [];
    const onEpoch = () => void later.push(refused(), learner.replace(calibrated));
    const { reason } = await learner.tune({ ...quick, onEpoch });
    await Promise.all(later);
    expect([reason, learner.save()]).toEqual(["another model was put in meanwhile, and stays", calibrated]);
  });

  test("poisoned corrections do not take the place of the model, and it is told", async () => {
    using learner = await learnerOf(options);
    await learner.replace(expected);
    const { isBetter, artifact, guarded, reason } = await learner.tune({
      ...quick,
      data: poisoned,
      guard: { data: heldOut },
    });
    expect(isBetter).toBe(false);
    expect([artifact, learner.save()]).toEqual([expected, expected]);
    expect(guarded!.after.accuracy).toBeLessThan(guarded!.before.accuracy);
    expect(reason).toMatch(/^the tuned model does worse on the guard's samples: accuracy fell from/);
    expect((await learner.run({ image })).logits!.data).toEqual(tunedAnswer);
  });

  test("stopped and begun again it comes to the same bytes; a checkpoint of other data is not gone on from", async () => {
    const folder = await mkdtemp(join(tmpdir(), "octette-learner-"));
    const checkpoint = { path: join(folder, "night.checkpoint"), every: 3, resume: true };
    using learner = await learnerOf(options);
    const stop = new AbortController();
    const onStep = ({ step }: { step: number }) => step === 7 && stop.abort(new Error("enough"));
    await expect(learner.tune({ ...quick, checkpoint, onStep, signal: stop.signal })).rejects.toThrow(
      "enough",
    );
    let begun = 0;
    const other = { ...quick, data: data.take(300), epochs: 1, swap: false, checkpoint: { ...checkpoint } };
    const resumed = await learner.tune({ ...quick, checkpoint, onBegin: ({ step }) => (begun = step) });
    expect(begun).toBeGreaterThanOrEqual(6);
    expect(resumed.artifact).toEqual(expected);
    const { summary } = await learner.tune({ ...other, onBegin: ({ step }) => (begun = step) });
    expect(begun).toBe(0);
    expect(summary.warnings.join()).toContain("the checkpoint is of another run");
    await rm(folder, { recursive: true });
  });

  test("checkpoints that cannot be written cost no run; a folder that is not there ends before it", async () => {
    const folder = await mkdtemp(join(tmpdir(), "octette-learner-"));
    const checkpoint = { path: join(folder, "night.checkpoint"), every: 5 };
    using learner = await learnerOf(options);
    // As a disk that is full from here on.
    const onBegin = () => rm(folder, { recursive: true });
    const { artifact, summary } = await learner.tune({ ...quick, checkpoint, onBegin });
    expect(artifact).toEqual(expected);
    expect(summary.warnings.join()).toContain("no checkpoint: ");
    await expect(learner.tune({ ...quick, checkpoint })).rejects.toThrow("no such folder");
  });

  test("deltas go out and in", async () => {
    // A Buffer, whose own slice is no copy, stays the caller's.
    const file = Buffer.from(calibrated);
    using learner = await createLearner(file, options);
    await learner.tune({ ...quick, epochs: 1, swap: false });
    expect([file.length, learner.save()]).toEqual([calibrated.length, calibrated]);
    await learner.apply(createDelta(calibrated, expected));
    expect(learner.save()).toEqual(expected);
    expect(applyDelta(calibrated, await learner.createDelta())).toEqual(expected);
    // Again: it is for the model that the learner began with, too.
    await learner.apply(createDelta(calibrated, expected));
    await expect(learner.apply(new Uint8Array(99))).rejects.toMatchObject({ name: "FormatError" });
    expect((await learner.run({ image })).logits!.data).toEqual(tunedAnswer);
  });

  test("what a listener throws ends tuning with that error", async () => {
    using learner = await learnerOf(options);
    const onStep = () => {
      throw new Error("mine");
    };
    await expect(learner.tune({ ...quick, onStep })).rejects.toThrow("mine");
    const onEpoch = async () => {
      throw new Error("mine, later");
    };
    for (const epochs of [1, 2])
      await expect(learner.tune({ ...quick, epochs, onEpoch })).rejects.toThrow("mine, later");
    expect(learner.save()).toEqual(calibrated);
  });

  test("a state that is handed back is awaited, and gone on from", async () => {
    using learner = await learnerOf(options);
    const states: number[] = [];
    let state: Parameters<
      NonNullable<NonNullable<Parameters<typeof learner.tune>[0]["checkpoint"]>["save"]>
    >[0];
    await learner.tune({
      ...quick,
      swap: false,
      checkpoint: {
        every: 6,
        save: async (saved) => {
          await new Promise((resolve) => setTimeout(resolve, 5));
          states.push(saved.progress.step as number);
          if (saved.progress.step === 6) state = saved;
        },
      },
    });
    expect(states).toEqual([6, 12, 18]);
    const { artifact } = await learner.tune({ ...quick, checkpoint: { state: state!, save: () => {} } });
    expect(artifact).toEqual(expected);
  });

  test("wrong options and two tunings at once are refused", async () => {
    using learner = await learnerOf(options);
    const refused = (wrong: object) => expect(learner.tune({ ...quick, ...wrong })).rejects;
    await refused({ epoch: 1 }).toThrow('no option "epoch"');
    await refused({ guards: {} }).toThrow(/learner\.tune: no option "guards": .*Did you mean guard\?$/);
    await refused({ data: [] }).toThrow("data: an option of tune does not fit: expected a data set");
    await refused({ augment: (feeds: unknown) => feeds }).toThrow("cannot be sent to a worker");
    await refused({ guard: { data: heldOut, tolerance: -1 } }).toThrow("percent, from 0 to 100");
    await refused({ guard: { data: heldOut.take(0) } }).toThrow("guard.data");
    await refused({ checkpoint: {} }).toThrow("a path, or a function save");
    await refused({ checkpoint: { path: 5 } }).toThrow("checkpoint.path");
    await refused({ checkpoint: { path: "" } }).toThrow('expected the path of a file, got ""');
    await expect(learner.tune(undefined as never)).rejects.toThrow("data: an option of tune does not fit");
    await refused({ pace: { share: 0 } }).toThrow("pace.share");
    const first = learner.tune({ ...quick, epochs: 1, swap: false });
    await expect(learner.tune(quick)).rejects.toThrow("is tuning already");
    await first;
  });

  test("disposed, it rejects what is under way and what comes", async () => {
    const learner = await learnerOf(options);
    let steps = 0;
    const onStep = () => {
      if (++steps === 3) learner.dispose();
    };
    const tuning = learner.tune({ ...quick, epochs: 50, onStep });
    await expect(tuning).rejects.toMatchObject({ code: "disposed" });
    expect(steps).toBeLessThan(10);
    await expect(learner.run({ image })).rejects.toMatchObject({ code: "disposed" });
  });
});

describe("workers", () => {
  const folder = mkdtempSync(join(tmpdir(), "octette-learner-"));
  const started = vi.spyOn(WorkerHand, "start");
  beforeEach(() => {
    started.mockClear();
  });
  afterAll(async () => {
    started.mockRestore();
    await rm(folder, { recursive: true });
  });
  /** Whether each worker that was started is up, in their order. */
  const areUp = async () =>
    (await Promise.all(started.mock.results.map(({ value }) => value))).map(({ isUp }) => isUp);

  /** A worker that ends by itself where it is sent a symbol, as one does that is out of memory. */
  const script = join(folder, "worker.mjs");
  writeFileSync(
    script,
    `import ${JSON.stringify(workerScript.href)};
     import { parentPort } from "node:worker_threads";
     parentPort.on("message", ({ args }) => args?.symbols?.end && process.exit(1));`,
  );

  test("one that ends is started again by the next run", async () => {
    using learner = await learnerOf({ worker: script });
    expect(learner.hasWorker).toBe(true);
    await expect(learner.run({ image }, undefined, { end: 1 })).rejects.toMatchObject({ code: "engine" });
    const runs = await Promise.all([learner.run({ image }), learner.run({ image })]);
    for (const { logits } of runs) expect(logits!.data).toEqual(answer);
  });

  test("one that is started again and cannot load the model is ended", async () => {
    using learner = await learnerOf({ worker: script });
    await expect(learner.run({ image }, undefined, { end: 1 })).rejects.toMatchObject({ code: "engine" });
    const call = vi.spyOn(WorkerHand.prototype, "call").mockRejectedValueOnce(new Error("no memory"));
    await expect(learner.run({ image })).rejects.toThrow("no memory");
    call.mockRestore();
    expect(await areUp()).toEqual([false, false]);
    expect((await learner.run({ image })).logits!.data).toEqual(answer);
    expect(await areUp()).toEqual([false, false, true]);
  });

  test("calls at the same time share one, which ends with the last of them", async () => {
    using learner = await learnerOf({ worker: script });
    const [delta, same] = await Promise.all([learner.createDelta(), learner.createDelta()]);
    expect(same).toEqual(delta);
    const once = { ...quick, epochs: 1, swap: false };
    const [{ isBetter }, beside] = await Promise.all([learner.tune(once), learner.createDelta()]);
    expect([isBetter, beside]).toEqual([true, delta]);
    expect(await areUp()).toEqual([true, false, false]);
  });

  test("one that is started as the learner is disposed ends, too", async () => {
    const learner = await learnerOf({ worker: script });
    const delta = learner.createDelta();
    learner.dispose();
    await expect(delta).rejects.toMatchObject({ code: "disposed" });
    expect(await areUp()).toEqual([false, false]);
  });

  test("where none can be started, this thread works and says why", async () => {
    using learner = await learnerOf({ worker: "/nowhere/learner-worker.js" });
    expect(learner.hasWorker).toBe(false);
    expect(learner.workerReason).toContain("octette/learner-worker.js");
    expect((await learner.run({ image })).logits!.data).toEqual(answer);
  });

  test("what is no artifact, and a misspelt option, are refused at once", async () => {
    await expect(createLearner(new Uint8Array(100))).rejects.toMatchObject({ name: "FormatError" });
    await expect(createLearner(calibrated, { workers: 2 } as never)).rejects.toThrow("Did you mean worker?");
  });
});
