// Models that people run on small devices, against the interpreter's answers: `xnn` are those of its default kernels, `ref` those of its
// reference kernels.

import { describe, expect, test } from "vitest";
import { readNpz } from "../../../src/formats/npz";
import type { Graph } from "../../../src/graph/graph";
import { type Tensor, tensor } from "../../../src/graph/tensor";
import { load, loadSync, preload } from "../../../src/index";
import { importTflite } from "../../../src/tflite";
import { expectClose } from "../../check-tensors";
import { realFile } from "../fixtures";

await preload();

const fileOf = (name: string) =>
  realFile(`tflite/${name}.tflite`) ?? realFile(`../peers/models/tiny/${name}.tflite`);

/** The part of a tensor for one sample, in the shape of an input. */
function sample({ dtype, shape, data }: Tensor, i: number): Tensor {
  const [count = 1, ...rest] = shape;
  const size = data.length / count;
  return tensor(dtype, rest, data.subarray(i * size, (i + 1) * size));
}

/** Answers of the graph and of a peer, sample by sample. */
function answers(graph: Graph, name: string, peer: "xnn" | "ref"): { own: Tensor; theirs: Tensor }[] {
  const golden = [...readNpz(realFile(`tflite/${name}.npz`)!)];
  const [, x] = golden.find(([key]) => key.startsWith("in/"))!;
  const [, y] = golden.find(([key]) => key.startsWith(`${peer}/`))!;
  const model = loadSync(graph);
  try {
    const [{ name: input }, { name: output }] = [model.inputs[0]!, model.outputs[0]!];
    return Array.from({ length: x.shape[0]! }, (_, i) => ({
      own: model.runSync({ [input]: sample(x, i) })[output]!,
      theirs: sample(y, i),
    }));
  } finally {
    model.dispose();
  }
}

const argMax = ({ data }: Tensor) => data.indexOf(Math.max(...data));

describe.each([
  "ad01_fp32",
  "hello_world_float",
  "kws_ref_model_float32",
  "mnist_lstm_float",
  "pretrainedResnet",
  "vww_96_float",
])("%s", (name) => {
  const bytes = fileOf(name);
  test.skipIf(!bytes)("gives XNNPACK's numbers within 1e-4", () => {
    for (const { own, theirs } of answers(importTflite(bytes!), name, "xnn")) expectClose(own, theirs, name);
  });
});

/** Its layer is computed in real numbers: codes differ by one at most. */
test.skipIf(!fileOf("mnist_lstm_int8"))("mnist_lstm_int8 gives XNNPACK's codes, ± 1", () => {
  for (const { own, theirs } of answers(importTflite(fileOf("mnist_lstm_int8")!), "mnist_lstm_int8", "xnn")) {
    for (const [i, code] of theirs.data.entries())
      expect(Math.abs(own.data[i]! - code)).toBeLessThanOrEqual(1);
    expect(argMax(own)).toBe(argMax(theirs));
  }
});

describe.each([
  "ad01_int8",
  "hello_world_int8",
  "kws_ref_model",
  "micro_speech_int8",
  "pretrainedResnet_quant",
  "streaming_wakeword_int8",
  "vww_96_int8",
])("%s", (name) => {
  const bytes = fileOf(name);
  test.skipIf(!bytes)("gives XNNPACK's codes, and its first class", () => {
    for (const { own, theirs } of answers(importTflite(bytes!), name, "xnn")) {
      expect(own.data).toEqual(theirs.data);
      expect(argMax(own)).toBe(argMax(theirs));
    }
  });

  test.skipIf(!bytes)("moves no image", () => {
    const model = loadSync(importTflite(bytes!));
    const kernels = model.plan.steps.map(({ kernel }) => kernel);
    model.dispose();
    expect(kernels.filter((kernel) => /transpose|copy|ChannelsLast/i.test(kernel))).toEqual([]);
  });
});

test.skipIf(!fileOf("micro_speech_int8"))("load reads a .tflite, from bytes too", async () => {
  const model = await load(fileOf("micro_speech_int8")!);
  expect(model.inputs.map(({ name, shape }) => [name, shape])).toEqual([["Reshape_1", [1, 1960]]]);
  model.dispose();
});
