// octette run: what messages carry, what they come to, and who shares a model.

import assert from "node:assert/strict";
import { join } from "node:path";
import { before, test } from "node:test";
import { load } from "octette/runtime";
import { classesOf } from "../answers.js";
import { models } from "../open.js";
import { classes, samplesOf, writeDigits } from "./digits.js";
import { ask, catchNode, flowOf, helper, nodeOf, nodes, pngOf, serveFlows } from "./fixtures.js";

const folder = await serveFlows();
const file = join(folder, "digits.octette");
const samples = (await samplesOf("test")).slice(0, 20);
let logits;

before(async () => {
  const model = await load(await writeDigits(file));
  logits = samples.map(({ image }) => [...model.runSync({ image }).logits.data]);
  model.dispose();
});

const start = (model, node, others) => helper.load([nodes, catchNode], flowOf(model, node, others));

/** The classes in the order of these scores, by a softmax of this test's own. */
function best(scores, k) {
  const powers = scores.map((score) => Math.exp(score - Math.max(...scores)));
  const sum = powers.reduce((a, b) => a + b);
  return powers
    .map((power, index) => ({ class: classes[index], index, probability: power / sum }))
    .sort((a, b) => b.probability - a.probability)
    .slice(0, k);
}

function assertAnswer({ payload, outputs }, scores, k) {
  const wanted = best(scores, k);
  assert.deepEqual([...outputs.logits.data], scores);
  assert.deepEqual(
    payload.top.map((one) => one.class),
    wanted.map((one) => one.class),
  );
  for (const [i, one] of payload.top.entries())
    assert.ok(Math.abs(one.probability - wanted[i].probability) < 1e-6);
  const { top, ...first } = payload;
  assert.deepEqual(first, top[0]);
}

test("numbers, typed arrays, buffers, pictures, pixels, tensors and objects give one answer", async () => {
  await start({ file }, { top: "4" });
  for (const [i, { image }] of samples.slice(0, 4).entries()) {
    const rows = Array.from({ length: 8 }, (_, y) => [...image.subarray(8 * y, 8 * y + 8)]);
    for (const payload of [
      [...image],
      rows,
      image,
      Buffer.from(image),
      pngOf(image),
      { width: 8, height: 8, data: image },
      { dtype: "u8", shape: [1, 1, 8, 8], data: [...image] },
      Float32Array.from(image, (byte) => byte / 16),
      { image: [...image] },
    ])
      assertAnswer(await ask("node", { payload }), logits[i], 4);
  }
});

test("a model that gives indices in place of scores says what to do", () => {
  const outputs = { best: { dtype: "i32", shape: [1], data: Int32Array.of(7) } };
  assert.throws(
    () => classesOf({ outputs: [{ name: "best", dtype: "i32" }] }, outputs, 3),
    /output "best" has no scores but i32, as of a model that ends in ArgMax: let the node give outputs/,
  );
});

test("several samples in one message give a list", async () => {
  await start({ file }, { top: "1" });
  const { payload } = await ask("node", { payload: samples.slice(0, 3).map(({ image }) => [...image]) });
  assert.deepEqual(
    payload.map((one) => one.class),
    logits.slice(0, 3).map((scores) => best(scores, 1)[0].class),
  );
});

test("outputs, and names of classes that the settings give", async () => {
  const named = classes.map((name) => name.toUpperCase());
  const other = { id: "other", type: "octette-model", file, threads: "1", classes: named.join(", ") };
  const second = nodeOf("second", "octette-run", { model: "other" });
  await start({ file }, { gives: "outputs" }, [other, second]);
  const { payload, outputs } = await ask("node", { payload: samples[0].image });
  assert.deepEqual([[...payload.logits.data], outputs], [logits[0], undefined]);
  const answer = await ask("second", { payload: samples[0].image });
  assert.equal(answer.payload.class, best(logits[0], 1)[0].class.toUpperCase());
});

test("answers leave in the order of the messages, whatever each takes", async () => {
  await start({ file });
  const seen = [];
  const done = new Promise((resolve) =>
    helper.getNode("answers").on("input", ({ topic }) => seen.push(topic) === samples.length && resolve()),
  );
  for (const [topic, { image }] of samples.entries())
    helper.getNode("node").receive({ topic, payload: topic % 3 === 0 ? pngOf(image) : image });
  await done;
  assert.deepEqual(seen, [...samples.keys()]);
});

test("messages that come faster than the model answers are left out, and it is told", async () => {
  await start({ file });
  const node = helper.getNode("node");
  const [seen, warnings] = [[], []];
  const [SENT, ANSWERED] = [150, 100];
  node.on("call:warn", ({ firstArg }) => warnings.push(firstArg));
  const told = new Promise((resolve) =>
    node.on("call:status", ({ firstArg: { text } }) => text === "50 left out" && resolve()),
  );
  const done = new Promise((resolve) =>
    helper.getNode("answers").on("input", ({ topic }) => seen.push(topic) === ANSWERED && resolve()),
  );
  for (let topic = 0; topic < SENT; topic++) node.receive({ topic, payload: samples[0].image });
  await Promise.all([done, told]);
  assert.deepEqual(seen, [...Array(ANSWERED).keys()]);
  assert.equal(warnings.length, 1);
  assert.match(warnings[0], /those beyond 100 are left out/);
  assertAnswer(await ask("node", { payload: samples[1].image }), logits[1], 3);
});

test("what does not fit is an error with a code, and the next message is answered", async () => {
  await start({ file });
  for (const [payload, told] of [
    ["digits.png", /input "image": is not the elements of a sample/],
    [undefined, /got undefined/],
    [null, /got null/],
    [[], /input "image": is empty/],
    [Buffer.alloc(0), /input "image": is empty/],
    [[1, 2, 3], /input "image": shape does not fit/],
    [Array(64).fill(0.5), /element 0 does not fit.*Float32Array is taken as normalized/],
    [[...samples[0].image.subarray(1), 256], /element 63 does not fit/],
    [[...samples[0].image.subarray(1), "7"], /element 63 does not fit/],
    [[Array(63).fill(1), [1]], /its rows differ in length/],
    [pngOf(samples[0].image).subarray(0, 60), /picture/],
    [{ image: samples[0].image, other: [1] }, /the model has no input "other"/],
  ]) {
    const { error } = await ask("node", { payload });
    assert.match(`${error?.message}`, told);
    assert.ok(error.code === "argument" || error.code === "format", error.code);
  }
  assertAnswer(await ask("node", { payload: samples[0].image }), logits[0], 3);
});

test("nodes of the same file and settings share a model, and the last one lets go of it", async () => {
  const twin = { id: "twin", type: "octette-model", file, threads: "1" };
  const second = nodeOf("second", "octette-run", { model: "twin" });
  const third = nodeOf("third", "octette-run", { model: "model" });
  await start({ file }, {}, [twin, second, third]);
  for (const id of ["node", "second", "third"])
    assertAnswer(await ask(id, { payload: samples[1].image }), logits[1], 3);
  assert.deepEqual([models.count, models.references], [1, 3]);
});

test("a file that is not there is told, and used once it is", async () => {
  const late = join(folder, "late.octette");
  await start({ file: late });
  const { error } = await ask("node", { payload: samples[0].image });
  assert.equal(error.code, "ENOENT");
  await writeDigits(late);
  assertAnswer(await ask("node", { payload: samples[0].image }), logits[0], 3);
});

test("without a model, or a file, messages are refused", async () => {
  await start({}, {}, [nodeOf("bare", "octette-run")]);
  assert.match((await ask("node", { payload: [] })).error.message, /has no file/);
  assert.match((await ask("bare", { payload: [] })).error.message, /no model is chosen/);
});
