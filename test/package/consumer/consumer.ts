// What a user's program looks like to the compiler. It is never run.

import { evaluate, type Graph, importOnnx, load, type Model, openDataset, quantize, save } from "octette";
import { Conv, QuantizeLinear } from "octette/ops";
import { createRuntime, loadSync, OctetteError, runtimeInfo } from "octette/runtime";
import { baseline, common, inlined } from "octette/wasm";

const graph: Graph = importOnnx(new Uint8Array(), { name: "digits" });
const { graph: int8, summary } = await quantize(graph, { calibration: [{ image: new Float32Array(64) }] });
const model: Model = await load(save(int8), { maxima: { batch: 8 } });
const { logits } = await model.run({ image: new Float32Array(64) });
const scores: ArrayLike<number> | undefined = logits?.data;
const data = await openDataset("test.npz", model.inputs);
const { top1 = 0, agreement = 0 } = await evaluate(model, data, { against: await load(graph) });
const device = loadSync(save(int8));
device.dispose();
// @ts-expect-error: no op
createRuntime({ Conv: 1 }, inlined);
// @ts-expect-error: feeds are named
model.run(new Float32Array(64));
// @ts-expect-error: no such mode
quantize(graph, { mode: "half" });
const few = createRuntime({ Conv, QuantizeLinear }, { common, baseline });
const several = createRuntime({ Conv }, { ...inlined, relaxed: new URL("https://localhost/relaxed.wasm") });
export const used = [
  few.loadSync,
  several.info().reason,
  scores,
  summary.warnings,
  top1 + agreement,
  runtimeInfo().reason,
  OctetteError,
];
