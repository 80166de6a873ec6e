// Times replies and the event loop of the service: 50 frames a second, at rest, while it is corrected and while it learns, with workers and
// without. Prints one table.
//   npm run measure [-- MODEL.onnx]    by default the MobileNet of OCTETTE_DATA, of 60 thousand parameters
//   taskset -c 0,1 npm run measure     as on two cores
// Figures mean something while nothing else runs: each row has the load of the machine beside it. BROKER=relay leaves mosquitto out.

import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { availableParallelism, cpus, loadavg, tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { connect } from "mqtt";
import { importOnnx, quantize, save, tensor } from "octette";
import { anyBroker } from "./broker.js";
import { startService } from "./process.js";

const data = process.env.OCTETTE_DATA ?? fileURLToPath(new URL("../../../shared/data", import.meta.url));
const [path = join(data, "vision/mobile.onnx")] = process.argv.slice(2);
const HERTZ = 50;
const SAMPLES = 400;
/** Corrections a second, each of which is written to the disk. */
const TAUGHT_HERTZ = 5;
/** Milliseconds of each row, so that p99 is of 500 replies. */
const ROW_MS = 10_000;
/** Milliseconds for compilers to come to rest. */
const WARM_MS = 3000;
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

/** Sends frames and times the replies. */
class Camera {
  #client;
  #topic;
  #size;
  #count = 0;
  #sent = new Map();
  times = [];

  constructor(client, topic, size) {
    this.#client = client;
    this.#topic = topic;
    this.#size = size;
  }

  start() {
    this.timer = setInterval(() => {
      const key = `${this.#count++}`;
      this.#sent.set(key, performance.now());
      this.#client.publish(this.#topic, Buffer.from(noise(this.#size, this.#count)), {
        properties: { correlationData: Buffer.from(key) },
      });
    }, 1000 / HERTZ);
  }

  reply(key) {
    this.times.push(performance.now() - this.#sent.get(key));
    this.#sent.delete(key);
  }

  stop() {
    clearInterval(this.timer);
  }
}

const rows = [];
/** Adds a row. `asked` are the most milliseconds that its 99th percentiles may take. */
async function addRow(title, { camera, service, asked }) {
  const sorted = [...camera.times].sort((a, b) => a - b);
  const at = (part) => sorted[Math.floor(part * (sorted.length - 1))];
  const loop = await service.loop();
  const told = (ms, most) => `${ms.toFixed(1)}${most ? ` ${ms <= most ? "≤" : ">"} ${most}` : ""}`;
  rows.push([
    title,
    `${sorted.length}`,
    told(at(0.5)),
    told(at(0.99), asked?.reply),
    told(at(1)),
    told(loop.p50),
    told(loop.p99, asked?.loop),
    told(loop.max),
    loadavg()[0].toFixed(1),
  ]);
  camera.times = [];
}

async function measure(title, { worker, tune, asked }) {
  const id = `measure${rows.length}`;
  const topic = (name) => `octette/${id}/${name}`;
  const service = await startService(
    {
      MQTT_URL: broker.url,
      SERVICE_ID: id,
      MODEL: model,
      STATE: join(folder, id),
      WORKER: worker ? "1" : "0",
      TUNE: JSON.stringify(tune),
    },
    ["--import", loopDelay],
  );
  const client = connect(broker.url, { protocolVersion: 5, clientId: `client${id}` });
  const camera = new Camera(client, topic("frame"), size);
  let [kept, state] = [0, {}];
  client.on("message", (name, payload, { properties }) => {
    if (name === topic("result")) camera.reply(`${properties.correlationData}`);
    else if (name === topic("state")) state = JSON.parse(payload);
    else kept++;
  });
  await new Promise((resolve) => client.once("connect", resolve));
  client.stream.setNoDelay(true);
  await client.subscribeAsync([topic("result"), topic("state"), `${topic("ack")}/+`]);
  let taught = 0;
  const teach = () => {
    const i = taught++;
    client.publish(`${topic("correction")}/${i % 10}/${i}`, Buffer.from(noise(size, i)), { qos: 1 });
  };
  while (taught < SAMPLES) teach();
  while (kept < SAMPLES) await sleep(20);

  camera.start();
  await sleep(WARM_MS);
  camera.times = [];
  await service.loop();
  await sleep(ROW_MS);
  await addRow(`${title}, at rest`, { camera, service });
  const teaching = setInterval(teach, 1000 / TAUGHT_HERTZ);
  await sleep(ROW_MS);
  clearInterval(teaching);
  await addRow(`${title}, corrected`, { camera, service });
  const start = performance.now();
  let runs = 0;
  for (; performance.now() - start < ROW_MS; runs++) {
    client.publish(topic("command"), "learn", { qos: 1 });
    while (!state.learning) await sleep(5);
    while (state.learning) await sleep(5);
    if (state.outcome.startsWith("failed")) throw new Error(state.outcome);
  }
  await addRow(`${title}, learning ${runs} ×`, { camera, service, asked });
  camera.stop();
  if (state.dropped > 0) console.log(`${title}: ${state.dropped} frames left out`);
  await client.endAsync();
  await service.kill("SIGTERM");
}

const folder = await mkdtemp(join(tmpdir(), "octette-measure-"));
const model = join(folder, "measured.octette");
const size = await writeModel(model);
const broker = anyBroker(folder);
await broker.start();

await measure("workers", { worker: true, tune: { batch: 64, epochs: 3 }, asked: { reply: 15, loop: 5 } });
await measure("one thread, 64", { worker: false, tune: { batch: 64, epochs: 1 }, asked: { loop: 20 } });
await measure("one thread, 8 × 8", {
  worker: false,
  tune: { batch: 8, accumulate: 8, epochs: 1 },
  asked: { loop: 20 },
});
await broker.stop();
await rm(folder, { recursive: true });

console.log(
  `${cpus()[0].model}, ${availableParallelism()} cores, Node ${process.versions.node}, ${broker.name}, ${HERTZ} frames a second; milliseconds`,
);
const table = [["", "replies", "p50", "p99", "max", "loop p50", "p99", "max", "load"], ...rows];
const widths = table[0].map((_, column) => Math.max(...table.map((row) => row[column].length)));
for (const row of table)
  console.log(
    row
      .map((cell, column) => (column === 0 ? cell.padEnd(widths[0]) : cell.padStart(widths[column])))
      .join("  "),
  );
