// octette learn: samples, what is learned from them, and what is still there after a deploy.

import assert from "node:assert/strict";
import { readdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { before, test } from "node:test";
import { load } from "octette/runtime";
import { models } from "../open.js";
import { classes, samplesOf, writeDigits } from "./digits.js";
import { ask, catchNode, flowOf, helper, nodeOf, nodes, serveFlows } from "./fixtures.js";

const folder = await serveFlows();
const file = join(folder, "digits.octette");
const kept = join(folder, "kept");
const [train, tests] = await Promise.all([samplesOf("train"), samplesOf("test")]);
let shipped;

before(async () => {
  shipped = await scoresOf(await writeDigits(file, 3));
});

async function scoresOf(artifact) {
  const model = await load(artifact);
  const { logits } = model.runSync({ image: tests[0].image });
  model.dispose();
  return [...logits.data];
}

const start = (model = { folder: kept }) =>
  helper.load(
    [nodes, catchNode],
    flowOf({ file, worker: true, ...model }, {}, [
      nodeOf("learn", "octette-learn", { model: "model", options: '{"epochs":6}' }),
    ]),
  );
const scores = async () => [...(await ask("node", { payload: tests[0].image })).outputs.logits.data];

async function teach(count) {
  let payload;
  for (const { image, label } of train.slice(0, count))
    ({ payload } = await ask("learn", { payload: image, label: classes[label] }));
  return payload;
}

test("learns from samples; the better model answers, also after a deploy, until it is told to go back", async () => {
  await start();
  assert.deepEqual(await scores(), shipped);
  const taught = await teach(400);
  assert.equal(taught.samples + taught.guards, 400);
  assert.ok(taught.guards > 40 && taught.guards < 120, `${taught.guards} guards`);
  const { payload } = await ask("learn", { topic: "learn" });
  assert.equal(payload.isBetter, true);
  assert.ok(payload.after >= payload.before);
  const learned = await scores();
  assert.notDeepEqual(learned, shipped);

  await helper.unload();
  assert.equal(models.count, 0);
  await start();
  assert.deepEqual(await scores(), learned);
  const { payload: again } = await ask("learn", { payload: train[0].image, label: "zero" });
  assert.equal(again.samples + again.guards, 401);
  const name = (await readdir(kept)).find((one) => one.endsWith(".octette"));

  assert.deepEqual((await ask("learn", { topic: "restore" })).payload, again);
  assert.deepEqual(await scores(), shipped);
  assert.ok(!(await readdir(kept)).includes(name));
});

test("the model of the file stays where it is restored while a run is under way", async () => {
  await start();
  await teach(40);
  const learn = helper.getNode("learn");
  const isLearning = new Promise((resolve) =>
    learn.on("call:status", ({ firstArg }) => firstArg.text.startsWith("learning") && resolve()),
  );
  const told = ask("learn", { topic: "learn" });
  await isLearning;
  learn.receive({ topic: "restore" });
  assert.match(`${(await told).error?.message}`, /was restored/);
  // In turn after the first.
  assert.equal((await ask("learn", { topic: "restore" })).error, undefined);
  assert.deepEqual(await scores(), shipped);
  assert.ok(!(await readdir(kept)).some((name) => name.endsWith(".octette")));
});

test("a deploy ends learning that is under way", async () => {
  await start();
  const learn = helper.getNode("learn");
  const isLearning = new Promise((resolve) =>
    learn.on("call:status", ({ firstArg }) => firstArg.text.startsWith("learning") && resolve()),
  );
  learn.receive({ topic: "learn" });
  await isLearning;
  await helper.unload();
  assert.equal(models.count, 0);
});

test("a learned model that is damaged is not used", async () => {
  await start();
  await ask("node", { payload: tests[0].image });
  const name = (await readdir(kept)).find((one) => one.endsWith(".training"));
  await helper.unload();
  await writeFile(join(kept, name.replace(".training", ".octette")), "half of a mod");
  await start();
  assert.deepEqual(await scores(), shipped);
});

test("other names of classes make another model, with files of its own", async () => {
  const own = join(folder, "own");
  const learn = async (label) => (await ask("learn", { payload: train[0].image, label })).payload;
  await start({ folder: own });
  await teach(5);
  await helper.unload();

  const named = classes.map((name) => name.toUpperCase());
  await start({ folder: own, classes: named.join(", ") });
  assert.ok(named.includes((await ask("node", { payload: tests[0].image })).payload.class));
  const { samples, guards } = await learn("ZERO");
  assert.equal(samples + guards, 1);
  await helper.unload();

  await start({ folder: own });
  const again = await learn("zero");
  assert.equal(again.samples + again.guards, 6);
});

test("too few samples teach nothing, and wrong ones are refused", async () => {
  await start({ folder: "" });
  await teach(5);
  assert.match((await ask("learn", { topic: "learn" })).payload.reason, /of at least 20 samples/);
  for (const [message, told] of [
    [{ payload: train[0].image, label: "eleven" }, /eleven/],
    [{ payload: [1, 2], label: "one" }, /image/],
    [{ topic: "lern" }, /msg\.label/],
  ])
    assert.match((await ask("learn", message)).error.message, told);
});

test("a model in this thread does not learn", async () => {
  await start({ worker: false });
  assert.match((await ask("learn", { topic: "learn" })).error.message, /does not learn/);
});
