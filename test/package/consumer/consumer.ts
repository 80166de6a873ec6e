// What a user's program looks like to the compiler. It is never run.

import { evaluate, type Graph, importOnnx, load, type Model, openDataset, quantize, save } from "octette";
import { createRuntime, type Runtime } from "octette/create-runtime";
import { countOf, createToolkit, type OwnOp, type Rule } from "octette/create-toolkit";
import { createLearner } from "octette/learner";
import { crossEntropyLoss, DataLoader, Linear, Module, quantizeDynamic, SGD, type Value } from "octette/nn";
import { Conv, QuantizeLinear } from "octette/ops";
import { pictureFeed } from "octette/pictures";
import { loadSync, OctetteError, preload, type Model as RuntimeModel, runtimeInfo } from "octette/runtime";
import { openSound, soundFeatures } from "octette/sound";
import { type LanguageModel, loadLanguageModel } from "octette/text";
import { importTflite } from "octette/tflite";
import { baseline, common, inlined, relaxedClass } from "octette/wasm";

const graph: Graph = importOnnx(new Uint8Array(), { name: "digits" });
const { graph: int8, summary } = await quantize(graph, { calibration: [{ image: new Float32Array(64) }] });
const model: Model = await load(save(int8), { maxima: { batch: 8 } });
const { logits } = await model.run({ image: new Float32Array(64) });
const scores: Float32Array | undefined = logits?.dtype === "f32" ? logits.data : undefined;
// @ts-expect-error: codes are no floats
const codes: Float32Array | undefined = logits?.dtype === "i8" ? logits.data : undefined;
const data = await openDataset("test.npz", model.inputs);
const { top1 = 0, agreement = 0 } = await evaluate(model, data, { against: await load(graph) });
const device = loadSync(save(int8));
const learner = await createLearner(save(int8));
const answer = (await learner.run({ image: new Uint8Array(64) })).logits;
const learned: Float32Array | undefined = answer?.dtype === "f32" ? answer.data : undefined;
const features: Float32Array = soundFeatures("mfcc")((await openSound("a.wav")).read(0, 16_000)).data;
await model.run(pictureFeed(model, { width: 8, height: 8, data: new Uint8ClampedArray(256) }));
// A model of any entry is the same model.
await evaluate(device, data);
const same: RuntimeModel = model;
const lite: Graph = importTflite(new Uint8Array());
await quantize(lite);
device.dispose();
{
  using scoped = loadSync(save(int8));
  scoped.runSync({ image: new Float32Array(64) });
}
// @ts-expect-error: no op
createRuntime({ Conv: 1 }, inlined);
// @ts-expect-error: feeds are named
model.run(new Float32Array(64));
// @ts-expect-error: no such mode
quantize(graph, { mode: "half" });
await preload("math");
const few: Runtime = createRuntime({ Conv, QuantizeLinear }, { common, baseline });
const several = createRuntime(
  { Conv },
  { ...inlined, relaxed: relaxedClass(new URL("https://localhost/relaxed.wasm")) },
);
const squash: OwnOp = {
  infer: (_, [x]) => [x!],
  rows: true,
  lower: ({ inputs, outputs }, c) =>
    c.emit("squash", [c.output(outputs[0]!), c.input(inputs[0]!), 1], countOf(c.type(inputs[0]!).shape)),
  codes: "none",
  homogeneous: undefined,
  trained: undefined,
};
const rule: Rule = ({ inputs }, [dy], b) => b.give(inputs[0]!, b.write("Neg", [dy!])[0]);
const toolkit = createToolkit({
  ops: { Squash: squash },
  conversions: {
    "com.example.Squash": "Squash",
    "com.example.Other": (source) => [source.node({}, { op: "Relu" })],
  },
  gradients: { Squash: rule },
  wasm: { mine: new Uint8Array() },
});
importOnnx(new Uint8Array(), { toolkit });
importTflite(new Uint8Array(), { toolkit });
createRuntime({ Squash: squash }, { common, baseline, mine: new Uint8Array() });
// @ts-expect-error: a trait is missing
createToolkit({ ops: { Squash: { infer: squash.infer, codes: "none", trained: undefined } } });
class Net extends Module {
  readonly fc = new Linear(10, 10);
  forward(x: Value): Value {
    return this.fc.forward(x);
  }
}
const trained = await quantizeDynamic(new Net(), { Linear }, "qint8");
const optimizer = new SGD(trained.parameters(), { lr: 1e-5 });
const criterion = crossEntropyLoss();
const loader = new DataLoader({
  inputs: { dtype: "f32", shape: [2, 10], data: new Float32Array(20) },
  labels: [1, 2],
});
for (const [inputs, labels] of loader) {
  optimizer.zeroGrad();
  criterion(trained.train().forward(inputs), labels).backward();
  optimizer.step();
}
const tuned: Graph = trained.graph();
// @ts-expect-error: only 8 bits
quantizeDynamic(new Net(), { Linear }, "float16");
const language: LanguageModel = await loadLanguageModel("model.octette", { maxTokens: 64 });
export const used = [
  codes,
  same,
  language.engine satisfies typeof model.engine,
  save(tuned),
  few.loadSync,
  several.info().reason,
  scores,
  learned,
  features,
  summary.warnings,
  top1 + agreement,
  runtimeInfo().reason,
  OctetteError,
];
