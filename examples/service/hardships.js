// Kills the service and restarts its broker again and again while it is taught and learns, then counts: every correction that was
// acknowledged must be there, once, and the model whole.
//   npm run hardships [-- KILLS RESTARTS]      100 and 20 by default, in five minutes or so

import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { connect } from "mqtt";
import { importOnnx, openDataset, parseNormalize, quantize, save, verify, withPreprocessing } from "octette";
import { Broker } from "./broker.js";
import { Memory } from "./memory.js";
import { startService } from "./process.js";

const [kills = 100, restarts = 20] = process.argv.slice(2).map(Number);
const digits = new URL("../digits/", import.meta.url);
const classes = "zero one two three four five six seven eight nine".split(" ");

/** The digits at 3 bits, which have something to learn, and their samples. */
async function writeModel(path) {
  const float = importOnnx(await readFile(new URL("digits.onnx", digits)), { name: "digits", classes });
  const normalize = parseNormalize("1/16,0,1");
  const graph = withPreprocessing(float, { preprocessing: { image: normalize } });
  const train = await openDataset(await readFile(new URL("train.npz", digits)), graph.inputs);
  const { graph: quantized } = await quantize(graph, { calibration: train.take(256).batches(32), bits: 3 });
  await writeFile(path, save(quantized));
  const [{ image }] = train.batches(train.count);
  const bytes = Uint8Array.from(image.data, (value) => Math.round(value * 16));
  return { labels: train.labels, bytes };
}

const folder = await mkdtemp(join(tmpdir(), "octette-service-"));
const model = join(folder, "digits.octette");
const { labels, bytes } = await writeModel(model);
const state = join(folder, "state");
const broker = new Broker(folder, { isKept: true });
await broker.start();
const settings = {
  MQTT_URL: broker.url,
  SERVICE_ID: "hard",
  MODEL: model,
  STATE: state,
  TUNE: '{"epochs":2}',
};
const topic = (name) => `octette/hard/${name}`;

const teacher = connect(broker.url, { protocolVersion: 5, clientId: "teacher", reconnectPeriod: 100 });
const [sent, acknowledged, outcomes] = [new Map(), new Set(), new Map()];
teacher.on("error", () => {});
teacher.on("connect", () => teacher.subscribe([`${topic("ack")}/+`, topic("state")], { qos: 1 }));
let wasLearning = false;
teacher.on("message", (name, payload) => {
  if (name === topic("state")) {
    const { learning, outcome } = JSON.parse(payload);
    const kind = outcome.replace(/[\d.]+/g, "…");
    if (wasLearning && !learning && kind !== "started") outcomes.set(kind, (outcomes.get(kind) ?? 0) + 1);
    wasLearning = learning;
  } else if (`${payload}` === "kept") acknowledged.add(name.split("/").at(-1));
  else throw new Error(`not kept: ${payload}`);
});
/** Corrections that wait for their acknowledgement at once. */
const MOST_OPEN = 50;
let next = 0;
/** A correction, sent until it is acknowledged, as a teacher who wants to be sure does. */
function teach(id = `${next++}`) {
  const sample = Number(id) % labels.length;
  sent.set(id, Date.now());
  const elements = Buffer.from(bytes.subarray(sample * 64, sample * 64 + 64));
  teacher.publish(`${topic("correction")}/${classes[labels[sample]]}/${id}`, elements, { qos: 1 });
}
const teaching = setInterval(() => {
  if (sent.size - acknowledged.size < MOST_OPEN) teach();
  for (const [id, at] of sent) if (!acknowledged.has(id) && Date.now() - at > 5000) teach(id);
}, 50);
const asking = setInterval(() => teacher.publish(topic("command"), "learn", { qos: 1 }), 1500);

const sleep = (ms) => new Promise((resolve) => setTimeout(resolve, ms));
/** A model that is there must be whole, whenever it is looked at. */
let damaged = 0;
async function lookAtModels() {
  for (const name of ["model.octette", "good.octette"]) {
    const file = await readFile(join(state, name)).catch(() => undefined);
    if (file && !(await verify(file).catch(() => false))) damaged++;
  }
}

const start = performance.now();
const passed = () => `${Math.round((performance.now() - start) / 1000)} s`;
/** Starts of the service that went on with a run. */
let resumed = 0;
async function startAgain() {
  const service = await startService(settings);
  if (service.lines.some((line) => line.startsWith("goes on with"))) resumed++;
  return service;
}

let service = await startAgain();
const every = restarts > 0 ? Math.max(1, Math.floor(kills / restarts)) : Infinity;
let restarted = 0;
for (let i = 1; i <= kills || restarted < restarts; i++) {
  // At any instant of starting up, being taught, learning and writing.
  await sleep(200 + ((i * 7919) % 1300));
  if (i % every === 0 && restarted < restarts) {
    restarted++;
    await broker.restart();
  }
  if (i > kills) continue;
  await service.kill();
  await lookAtModels();
  service = await startAgain();
  // What is known so far, for whoever cannot wait for the end.
  if (i % 10 === 0)
    console.error(
      `${i} kills, ${restarted} broker restarts, ${passed()}: ${acknowledged.size} of ${sent.size} acknowledged`,
    );
}
clearInterval(teaching);
clearInterval(asking);
for (let waited = 0; acknowledged.size < sent.size && waited < 60; waited++) {
  await sleep(2000);
  for (const id of sent.keys()) if (!acknowledged.has(id)) teach(id);
}
await service.kill("SIGTERM");
await lookAtModels();
await teacher.endAsync(true);
await broker.stop();

// What the disk has, as the service would read it.
const { inputs } = importOnnx(await readFile(new URL("digits.onnx", digits)));
const preprocessing = parseNormalize("1/16,0,1");
const memory = await Memory.open(
  state,
  inputs.map((input) => ({ ...input, preprocessing })),
  {
    capacity: 2000,
    replay: 500,
    classes,
  },
);
const lost = [...acknowledged].filter((id) => !memory.knows(id));
const twice = memory.training.pushed + memory.guard.pushed - memory.count;
await memory.close();
await rm(folder, { recursive: true });
console.log(
  `${kills} kills, ${restarts} broker restarts in ${passed()}: ` +
    `${acknowledged.size} corrections acknowledged of ${sent.size}, ${lost.length} lost, ${twice} kept twice, ${damaged} models damaged`,
);
console.log(`${resumed} starts went on with a run that was ended`);
for (const [outcome, count] of outcomes) console.log(`${count} × ${outcome}`);
if (lost.length + twice + damaged > 0 || acknowledged.size < sent.size) process.exitCode = 1;
