// Times replies and the event loop of the service: 50 frames a second, at rest and while it learns, with workers and without.
//   npm run measure [-- MODEL.onnx]    by default the MobileNet of OCTETTE_DATA, of 60 thousand parameters

import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { loadavg, tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { connect } from "mqtt";
import { importOnnx, quantize, save, tensor } from "octette";
import { Broker } from "./broker.js";
import { startService } from "./process.js";

const data = process.env.OCTETTE_DATA ?? fileURLToPath(new URL("../../../shared/data", import.meta.url));
const [path = join(data, "vision/mobile.onnx")] = process.argv.slice(2);
const HERTZ = 50;
const SAMPLES = 400;
const REST_MS = 5000;
const loopDelay = new URL("loop-delay.js", import.meta.url).href;
const sleep = (ms) => new Promise((resolve) => setTimeout(resolve, ms));

/** A frame of noise, which costs what any frame does. */
const noise = (size, seed) =>
  Uint8Array.from({ length: size }, (_, i) => ((i + 1) * (seed * 2 + 77) * 2654435761) >>> 24);

async function writeModel(file) {
  const float = importOnnx(await readFile(path), { name: "measured" });
  const preprocessing = { layout: "nchw", scale: 1 / 255, mean: [0.5], std: [0.25] };
  const graph = { ...float, inputs: float.inputs.map((input) => ({ ...input, preprocessing })) };
  const [{ name, shape }] = graph.inputs;
  const sample = shape.slice(1);
  const size = sample.reduce((n, dim) => n * dim, 1);
  const calibration = Array.from({ length: 4 }, (_, i) => ({
    [name]: tensor("u8", [1, ...sample], noise(size, i)),
  }));
  await writeFile(file, save((await quantize(graph, { calibration })).graph));
  return size;
}

const folder = await mkdtemp(join(tmpdir(), "octette-measure-"));
const model = join(folder, "measured.octette");
const size = await writeModel(model);
const broker = new Broker(folder);
await broker.start();

async function measure(worker, tune) {
  const id = `measure${worker}${Object.keys(tune).length}`;
  const topic = (name) => `octette/${id}/${name}`;
  const settings = {
    MQTT_URL: broker.url,
    SERVICE_ID: id,
    MODEL: model,
    STATE: join(folder, id),
    WORKER: worker,
  };
  const service = await startService({ ...settings, TUNE: JSON.stringify(tune) }, ["--import", loopDelay]);
  const client = connect(broker.url, { protocolVersion: 5, clientId: `client${id}` });
  let [times, sent] = [[], new Map()];
  let [kept, state] = [0, {}];
  client.on("message", (name, payload, { properties }) => {
    if (name === topic("result")) {
      const key = `${properties.correlationData}`;
      times.push(performance.now() - sent.get(key));
      sent.delete(key);
    } else if (name === topic("state")) state = JSON.parse(payload);
    else kept++;
  });
  await new Promise((resolve) => client.once("connect", resolve));
  client.stream.setNoDelay(true);
  await client.subscribeAsync([topic("result"), topic("state"), `${topic("ack")}/+`]);
  for (let i = 0; i < SAMPLES; i++)
    client.publish(`${topic("correction")}/${i % 10}/${i}`, Buffer.from(noise(size, i)), { qos: 1 });
  while (kept < SAMPLES) await sleep(20);
  let count = 0;
  const frames = setInterval(() => {
    const key = `${count++}`;
    sent.set(key, performance.now());
    client.publish(topic("frame"), Buffer.from(noise(size, count)), {
      properties: { correlationData: Buffer.from(key) },
    });
  }, 1000 / HERTZ);
  const found = async () => {
    const sorted = [...times].sort((a, b) => a - b);
    const at = (part) => sorted[Math.floor(part * (sorted.length - 1))]?.toFixed(1);
    const loop = await service.loop();
    const facts = `replies ${sorted.length}: p50 ${at(0.5)}, p99 ${at(0.99)}, max ${at(1)} ms; event loop p50 ${loop.p50}, p99 ${loop.p99}, max ${loop.max} ms`;
    [times, sent] = [[], new Map()];
    return facts;
  };
  await sleep(2000);
  await found();
  await sleep(REST_MS);
  const rest = await found();
  const start = performance.now();
  client.publish(topic("command"), "learn", { qos: 1 });
  while (!state.learning) await sleep(5);
  while (state.learning) await sleep(5);
  const seconds = ((performance.now() - start) / 1000).toFixed(1);
  const learning = await found();
  clearInterval(frames);
  console.log(
    `${worker === "1" ? "with workers" : "without"} ${JSON.stringify(tune)}, load ${loadavg()[0].toFixed(1)}, ${state.dropped} frames left out`,
  );
  console.log(`  at rest   ${rest}`);
  console.log(`  learning  ${learning} (${seconds} s; ${state.outcome.slice(0, 60)})`);
  await client.endAsync();
  await service.kill("SIGTERM");
}

await measure("1", { batch: 64, epochs: 3 });
await measure("0", { batch: 64, epochs: 1 });
await measure("0", { batch: 8, accumulate: 8, epochs: 1 });
await broker.stop();
await rm(folder, { recursive: true });
