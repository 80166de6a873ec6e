// The package on its default settings in the hosts that people have: built from the tarball of `npm pack`, run, and compared to
// the bytes that this Node comes to.
//   npm run hosts [-- NAME…]      all hosts, or those whose name begins so (of a built tree; Linux, with Chromium)
// What it fetches from npm, at pinned versions, goes to build/hosts.

import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { availableParallelism } from "node:os";
import { join } from "node:path";
import { fill, floatLayer, layers } from "../../bench/graphs.js";
import { languageShapes, writeLanguageFolder, writeLanguageGguf } from "../../bench/language-model.js";
import * as toolkit from "../../build/index.js";
import * as learner from "../../build/learner.js";
import * as pictures from "../../build/pictures.js";
import { quantizeLanguageModel } from "../../build/quantize-language.js";
import * as sound from "../../build/sound.js";
import { createProgress, formatTable } from "../../build/terminal.js";
import * as text from "../../build/text.js";
import { answerOf } from "./app/answer.js";
import { CALIBRATION } from "./app/language.js";
import { next } from "./next.js";
import { closeBrowser, pages } from "./pages.js";
import { folder, installPackage, root } from "./places.js";
import { processes } from "./processes.js";

const { quantize, save } = toolkit;

const THREADS = Math.min(2, availableParallelism());
/** Lines of an error that are shown. */
const LINES = 20;
const LAYER = "conv 3×3 16→16 @32²";

const asked = process.argv.slice(2);
const hosts = [...processes, ...pages, ...next].filter(
  ({ name }) => asked.length === 0 || asked.some((part) => name.toLowerCase().startsWith(part.toLowerCase())),
);
if (hosts.length === 0) throw new Error(`no host is named so: ${asked.join(", ")}`);

/** The files that hosts read: a language model, and a model whose last op is of a group that octette/runtime imports when it is loaded. */
async function writeInputs() {
  const layer = floatLayer(LAYER, layers[LAYER]);
  const last = { op: "Tanh", name: "last", inputs: layer.outputs, outputs: ["z"], attributes: {} };
  const graph = { ...layer, nodes: [...layer.nodes, last], outputs: last.outputs };
  const calibration = graph.inputs.map(({ name, dtype, shape }) => ({ [name]: fill(dtype, shape) }));
  writeFileSync(join(folder, "model.octette"), save((await quantize(graph, { calibration })).graph));
  writeFileSync(join(folder, "digits.onnx"), readFileSync(join(root, "examples/digits/digits.onnx")));
  const language = join(folder, "language");
  writeLanguageFolder(language, languageShapes["tiny-llama"]);
  const output = join(folder, "language.octette");
  writeLanguageGguf(join(folder, "language.gguf"), languageShapes["tiny-llama"]);
  await quantizeLanguageModel(language, { bits: 4, calibration: CALIBRATION, output });
}

/** What a host's answer is worth, and whether that is as it should be. */
function judged({ refusal, says, isAlone = false, only = { threads: THREADS } }, answer, expected) {
  if (says) return [says, ""];
  if (refusal) {
    if (refusal.test(answer.error)) return ["refused, typed", ""];
    throw new Error(`no typed error: ${JSON.stringify(answer).slice(0, 300)}`);
  }
  if (answer.error) throw new Error(answer.error);
  for (const part of ["outputs", "artifact", "quantizedLanguage", "generated", "learned", "picture", "sound"])
    if (answer[part] !== undefined && answer[part] !== expected[part]) throw new Error(`other ${part}`);
  const { threads, threadsReason, hasWorker, workerReason } = answer;
  if (hasWorker === isAlone)
    throw new Error(`a learner ${isAlone ? "with" : "without"} a worker: ${workerReason}`);
  if (threads !== only.threads || (only.reason && !only.reason.test(threadsReason)))
    throw new Error(`${threads} threads: ${threadsReason}`);
  return ["same bytes", `${threads}`];
}

mkdirSync(folder, { recursive: true });
await installPackage();
await writeInputs();
const octette = { ...toolkit, ...learner, ...pictures, ...sound, ...text, quantizeLanguageModel };
const onnx = readFileSync(join(folder, "digits.onnx"));
const [model, language, gguf] = ["model.octette", "language.octette", "language.gguf"].map((file) =>
  join(folder, file),
);
const expected = await answerOf(octette, { model, language, gguf, onnx });

const rows = [];
const problems = [];
const progress = createProgress(process.stderr);
for (const [i, host] of hosts.entries()) {
  progress.update(host.name, i, hosts.length);
  const start = performance.now();
  const seconds = () => `${((performance.now() - start) / 1000).toFixed(1)} s`;
  try {
    const verdict = judged(host, await host.ask(host.name), expected);
    rows.push([host.name, ...verdict, seconds()]);
  } catch (error) {
    problems.push(`${host.name}: ${error.message.trim().split("\n").slice(0, LINES).join("\n")}`);
    rows.push([host.name, "FAILS", "", seconds()]);
    process.exitCode = 1;
  }
}
progress.end();
await closeBrowser();
console.log(formatTable(["host", "result", "threads", "took"], rows, { align: "llrr" }));
for (const problem of problems) console.log(`\n${problem}`);
