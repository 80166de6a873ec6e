// Every long call stops when its signal is aborted: before it begins or in its midst, soon, and with the signal's own reason.

import { mkdtemp, readdir, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, describe, expect, test } from "vitest";
import { writeFileWhole } from "../src/files/write-file";
import type { LongCallOptions } from "../src/index";
import * as octette from "../src/index";
import * as nn from "../src/nn/index";
import { readExample } from "./examples";

/** A call ends so long after its signal, at most: a batch of these small models, many times over. */
const MAX_ABORT_MS = 2000;

const graph = octette.importOnnx(await readExample("digits.onnx"), { name: "digits" });
const artifact = octette.save(graph);
const data = await octette.openDataset(
  { name: "train.npz", bytes: await readExample("train.npz") },
  graph.inputs,
  {
    normalize: "1/16,0,1",
  },
);
const model = octette.loadSync(graph);
const perceptron = () =>
  new nn.Sequential(new nn.Flatten(), new nn.Linear(64, 64), new nn.ReLU(), new nn.Linear(64, 10));
const inputShape = ["batch", 1, 8, 8] as const;
const batches = () => data.batches(16);
/** The samples over and over: only the signal ends it. */
function* endless() {
  for (;;) yield* [...data.batches(16)].map((feeds) => ({ feeds }));
}
function* endlessFeeds(name = graph.inputs[0]!.name) {
  for (const { feeds } of endless()) yield { [name]: feeds[graph.inputs[0]!.name]! };
}

const folder = await mkdtemp(join(tmpdir(), "octette-abort-"));
afterAll(() => rm(folder, { recursive: true }));

type Call = (options: LongCallOptions) => Promise<unknown>;

/** Calls that tell of their progress, on work that does not end soon. */
const told: Record<string, Call> = {
  quantize: (options) => octette.quantize(graph, { calibration: endlessFeeds(), ...options }),
  "tune, while it calibrates": (options) => octette.tune(graph, { data, epochs: 1000, ...options }),
  "tune, while it trains": (options) =>
    octette.tune(graph, { data, bits: "float", epochs: 1000, ...options }),
  evaluate: (options) => octette.evaluate(model, endless(), options),
  compare: (options) => octette.compare(model, model, endless(), options),
  benchmark: (options) => octette.benchmark(model, { seconds: 1000, profile: true, ...options }),
  prepareQat: (options) =>
    nn.prepareQat(perceptron(), { inputShape, calibration: endlessFeeds("input"), ...options }),
};

/** A source whose second chunk never comes. */
async function* stalled() {
  yield artifact.subarray(0, 100);
  await new Promise(() => {});
}

/** Samples that are not there yet, such as a camera's. */
async function* later() {
  await new Promise(() => {});
  yield { feeds: {} };
}

const silent: Record<string, Call> = {
  "quantize, of data that do not come": (options) =>
    octette.quantize(graph, { calibration: later() as never, ...options }),
  "evaluate, of data that do not come": (options) => octette.evaluate(model, later(), options),
  load: ({ signal }) => octette.load(stalled(), { signal }),
  verify: ({ signal }) => octette.verify(stalled(), { signal }),
  openDataset: ({ signal }) => octette.openDataset(stalled(), graph.inputs, { signal }),
};

const begun: Record<string, Call> = {
  ...told,
  ...silent,
  "evaluate, layers": (options) =>
    octette.evaluate(model, data, { against: model, layers: true, ...options }),
  "quantize, dynamic": (options) => octette.quantize(graph, { mode: "dynamic", ...options }),
  quantizeDynamic: (options) =>
    nn.quantizeDynamic(perceptron(), { Linear: nn.Linear }, "qint8", { inputShape, ...options }),
};

/** What a call throws, and how long after `aborted` it does. */
const thrown = (call: Promise<unknown>) =>
  call.then(
    () => "nothing",
    (error: unknown) => error,
  );

describe("a signal that is aborted already", () => {
  test.each(Object.entries(begun))("%s", async (_, call) => {
    const reason = new Error("enough");
    expect(await thrown(call({ signal: AbortSignal.abort(reason) }))).toBe(reason);
    expect(await thrown(call({ signal: AbortSignal.abort() }))).toMatchObject({ name: "AbortError" });
  });
});

describe("a signal that is aborted in the midst", () => {
  test.each(Object.entries(told))("%s", async (_, call) => {
    const controller = new AbortController();
    const reason = new Error("enough");
    let at = 0;
    const error = await thrown(
      call({
        signal: controller.signal,
        onProgress({ stage, done }) {
          expect(stage).toMatch(/^[a-z]+$/);
          expect(done).toBeGreaterThan(0);
          at ||= performance.now();
          controller.abort(reason);
        },
      }),
    );
    expect(error).toBe(reason);
    expect(performance.now() - at).toBeLessThan(MAX_ABORT_MS);
  });

  test.each(Object.entries(silent))("%s, which waits", async (_, call) => {
    const controller = new AbortController();
    const reason = new Error("enough");
    const waiting = thrown(call({ signal: controller.signal }));
    await new Promise((resolve) => setTimeout(resolve, 20));
    const at = performance.now();
    controller.abort(reason);
    expect(await waiting).toBe(reason);
    expect(performance.now() - at).toBeLessThan(MAX_ABORT_MS);
  });

  test("tune, with a last checkpoint", async () => {
    const controller = new AbortController();
    const states: number[] = [];
    const error = await thrown(
      octette.tune(graph, {
        data,
        bits: "float",
        checkpoint: { every: 1000, save: ({ progress }) => void states.push(progress.step as number) },
        onStep: ({ step }) => step === 3 && controller.abort(),
        signal: controller.signal,
      }),
    );
    expect(error).toMatchObject({ name: "AbortError" });
    expect(states).toEqual([3]);
  });
});

test("a file that is written when it is aborted stays as it was, and nothing lies beside it", async () => {
  const path = join(folder, "a.octette");
  await writeFile(path, "old");
  const controller = new AbortController();
  const writing = thrown(writeFileWhole(path, new Uint8Array(1 << 26), controller.signal));
  const reason = new Error("enough");
  setTimeout(() => controller.abort(reason), 5);
  expect(await writing).toBe(reason);
  expect(await readdir(folder)).toEqual(["a.octette"]);
  expect((await import("node:fs")).readFileSync(path, "utf8")).toBe("old");
});

test("progress is awaited, and goes up to the total", async () => {
  const seen: number[] = [];
  let isTold = false;
  await octette.evaluate(model, data.take(96), {
    async onProgress({ done, total }) {
      expect(isTold).toBe(false);
      isTold = true;
      await new Promise((resolve) => setTimeout(resolve, 5));
      isTold = false;
      expect(total).toBe(96);
      seen.push(done);
    },
  });
  expect(seen).toEqual([32, 64, 96]);
  const calibrated: number[] = [];
  await octette.quantize(graph, {
    calibration: batches(),
    onProgress: ({ done }) => void calibrated.push(done),
  });
  expect(calibrated.at(-1)).toBe(data.count);
});
