// What a page does: the built runtime as one module file, models from responses and blobs, bytes of images, a worker.

import { beforeAll, expect, test, vi } from "vitest";
import { importOnnx, quantize, save } from "../../src/index";
import { convGraph, expectSameBytes, randomFeeds } from "../check-model";
import { pretendCores } from "../engine/engines";
import { readExample } from "../examples";

type Runtime = typeof import("../../src/runtime/index");

const built = "/build/runtime.js";
let runtime: Runtime;
let artifact: Uint8Array<ArrayBuffer>;
const image = Uint8Array.from({ length: 64 }, (_, i) => (i * 7) % 17);

beforeAll(async () => {
  runtime = (await import(/* @vite-ignore */ built)) as Runtime;
  const graph = importOnnx(await readExample("digits.onnx"));
  const preprocessing = { layout: "nchw", scale: 1 / 16, mean: [0], std: [1] } as const;
  const withImages = { ...graph, inputs: graph.inputs.map((input) => ({ ...input, preprocessing })) };
  const calibration = Array.from({ length: 32 }, (_, n) => ({
    image: Float32Array.from({ length: 64 }, (_, i) => ((i * 5 + n * 3) % 17) / 16),
  }));
  artifact = save((await quantize(withImages, { calibration })).graph);
});

const logitsOf = async (source: Parameters<Runtime["load"]>[0]) => {
  const model = await runtime.load(source);
  const { logits } = await model.run({ image });
  model.dispose();
  return [...logits!.data];
};

test("the built runtime runs a model from bytes, a blob, a response and chunks alike", async () => {
  const expected = await logitsOf(artifact);
  expect(expected).toHaveLength(10);
  expect(await logitsOf(new Blob([artifact]))).toEqual(expected);
  expect(await logitsOf(new Response(artifact))).toEqual(expected);
  const chunks = async function* () {
    yield artifact.subarray(0, 1000);
    yield artifact.subarray(1000);
  };
  expect(await logitsOf(chunks())).toEqual(expected);
});

test("wasm can come from its own files", async () => {
  const expected = await logitsOf(artifact);
  const wasm = {
    common: await fetch("/build/wasm/common.wasm"),
    baseline: new Uint8Array(await (await fetch("/build/wasm/baseline.wasm")).arrayBuffer()),
    relaxed: await WebAssembly.compile(await (await fetch("/build/wasm/relaxed.wasm")).arrayBuffer()),
  };
  const model = await runtime.load(artifact, { wasm });
  expect([...(await model.run({ image })).logits!.data]).toEqual(expected);
  model.dispose();
});

test("a worker gives the same answer", async () => {
  const code = `self.onmessage = ({ data }) => answer(data).then(postMessage, (error) => postMessage(String(error)));
  async function answer({ built, artifact, image }) {
    const { loadSync } = await import(built);
    const model = loadSync(artifact);
    const logits = [...model.runSync({ image }).logits.data];
    model.dispose();
    return logits;
  }`;
  const url = URL.createObjectURL(new Blob([code], { type: "text/javascript" }));
  const worker = new Worker(url, { type: "module" });
  const answer = new Promise((resolve, reject) => {
    worker.onmessage = ({ data }) => resolve(data);
    worker.onerror = (event) => reject(new Error(event.message));
  });
  worker.postMessage({ built: new URL(built, location.href).href, artifact, image });
  expect(await answer).toEqual(await logitsOf(artifact));
  worker.terminate();
  URL.revokeObjectURL(url);
});

test("an isolated page shares a model's steps among threads, with the same bytes", async () => {
  expect(crossOriginIsolated).toBe(true);
  pretendCores(2);
  const graph = convGraph({ cin: 24, cout: 33, k: 3, pad: 1, h: 17, w: 18 });
  const feeds = randomFeeds(graph, 8);
  const [one, two] = await Promise.all(
    [1, 2].map((threads) => runtime.load(save(graph), { threads, maxima: { batch: 8 } })),
  );
  expect(one!.engine.threads).toBe(1);
  await vi.waitFor(() => expect(two!.engine.threads, two!.engine.threadsReason).toBe(2), { timeout: 8000 });
  for (let run = 0; run < 3; run++) expectSameBytes((await two!.run(feeds)).y, (await one!.run(feeds)).y!);
  one!.dispose();
  two!.dispose();
});
