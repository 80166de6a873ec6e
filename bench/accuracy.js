// How much accuracy int8 costs with default options: `node bench/accuracy.js [NAME…]`.
// Calibrated on 512 training images, measured on the test images. test/quantize/accuracy.test.ts holds the figures.

import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { importOnnx, loadSync, quantize, save } from "../build/index.js";
import { batches, cifar, dataFolder, mnist, top1 } from "./data.js";

const CALIBRATION_IMAGES = 512;
/** Data of models. */
const models = { mlp: mnist, resnet8: cifar, mobile: cifar, mobile_wild: cifar };

if (!existsSync(dataFolder)) {
  console.error(`no data in ${dataFolder}: set OCTETTE_DATA`);
  process.exit(1);
}
const asked = process.argv.slice(2);
const rows = [];
for (const [name, data] of Object.entries(models)) {
  if (asked.length > 0 && !asked.includes(name)) continue;
  const graph = importOnnx(readFileSync(join(dataFolder, `vision/${name}.onnx`)), { name });
  const [train, test] = [data("train"), data("test")];
  const measure = (made) => {
    const model = loadSync(made, { maxima: { batch: 64 } });
    const accuracy = top1(model, test);
    model.dispose();
    return accuracy.toFixed(2);
  };
  const calibration = () => batches(train, graph.inputs[0].name, 32, CALIBRATION_IMAGES);
  const started = performance.now();
  const int8 = await quantize(graph, { calibration: calibration() });
  const seconds = ((performance.now() - started) / 1000).toFixed(1);
  const naive = await quantize(graph, { calibration: calibration(), naive: true });
  const dynamic = await quantize(graph, { mode: "dynamic" });
  rows.push({
    model: name,
    float: measure(graph),
    naive: measure(naive.graph),
    int8: measure(int8.graph),
    dynamic: measure(dynamic.graph),
    "float kB": (save(graph).length / 1000).toFixed(0),
    "int8 kB": (save(int8.graph).length / 1000).toFixed(0),
    "quantized in s": seconds,
  });
}
console.log(`top-1 %, ${CALIBRATION_IMAGES} calibration images, Node ${process.version}`);
console.table(rows);
