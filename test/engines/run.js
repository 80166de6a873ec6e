// The same bytes on other engines: models run here, on other Nodes, on Node for arm64 and armv7 under emulation, in JavaScriptCore
// (Safari's engine), in Chromium and in Firefox; all answers are compared with this machine's.
//   npm run engines [-- NAME…]      all engines, or those whose name has one of these; on Debian, with qemu-user-static,
//                                   libjavascriptcoregtk-4.0-bin, chromium and firefox-esr; minutes, for emulation is 60–300 ×
//                                   slower. What it fetches goes to build/engines.

import { existsSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { basename, join, relative, resolve } from "node:path";
import { build } from "esbuild";
import jpeg from "jpeg-js";
import { batches, cifar, dataFolder, mnist } from "../../bench/data.js";
import { languageShapes, writeLanguageFolder } from "../../bench/language-model.js";
import { importOnnx, openDataset, quantize, save, tensor } from "../../build/index.js";
import { quantizeLanguageModel } from "../../build/quantize-language.js";
import { formatTable } from "../../build/terminal.js";
import { CALIBRATION } from "../hosts/app/language.js";
import { arm64, armv7, node } from "./nodes.js";
import { chromium, firefox } from "./pages.js";
import { ANSWERS, folder, root, run, within } from "./places.js";

const CALIBRATION_SAMPLES = 128;

const here = {
  name: `${process.arch}, Node ${process.versions.node.split(".")[0]}`,
  ask: (artifacts) => run(process.execPath, [ANSWERS.node, ...artifacts]),
};
const asked = process.argv.slice(2);
const others = [
  ...[20, 22, 24, 26].map(node).filter(({ name }) => name !== here.name),
  // Without a dot product of bytes and with one, which only V8's optimising compiler uses.
  arm64("cortex-a72", 20),
  arm64("cortex-a72", 24),
  arm64("cortex-a76", 22),
  arm64("cortex-a76", 24, "--no-liftoff"),
  armv7(20),
  { name: "JavaScriptCore", ask: (artifacts) => run("jsc", ["-m", ANSWERS.shell, "--", ...artifacts]) },
  chromium,
  firefox,
].filter(
  ({ name }) => asked.length === 0 || asked.some((part) => name.toLowerCase().includes(part.toLowerCase())),
);

const images = (set) => (graph) => batches(set, graph.inputs[0].name, 32, CALIBRATION_SAMPLES);
const digits = async (graph) => {
  const normalize = { layout: "nchw", scale: 1 / 16, mean: [0], std: [1] };
  const data = await openDataset(join(root, "examples/digits/train.npz"), graph.inputs, { normalize });
  return data.take(CALIBRATION_SAMPLES).batches(32);
};

/** A quarter of all weights becomes −128, which a dot product of signed bytes need not multiply right. */
const withLowest = (graph) => ({
  ...graph,
  constants: new Map(
    [...graph.constants].map(([name, { dtype, shape, data }]) => {
      const isWeight = dtype === "i8" && shape.length > 1;
      const codes = isWeight ? data.slice().fill(-128, 0, data.length >> 2) : data;
      return [name, { dtype, shape, data: codes }];
    }),
  ),
});

/** Small language models of 8 and 4 bits, and the files that one of them is made from. */
async function writeLanguageModels() {
  const paths = [];
  for (const name of ["tiny-llama", "tiny-gemma"]) {
    const folder = within("models", name);
    writeLanguageFolder(folder, languageShapes[name]);
    for (const bits of [8, 4]) {
      const output = join(within("models"), `${name} ${bits}.octette`);
      await quantizeLanguageModel(folder, { bits, calibration: CALIBRATION, output });
      paths.push(relative(root, output));
    }
    if (name === "tiny-llama")
      paths.push(...readdirSync(folder).map((file) => relative(root, join(folder, file))));
  }
  return paths;
}

/** Writes a file beside the models; its path from the root. */
function write(name, bytes) {
  const path = join(within("models"), name);
  writeFileSync(path, bytes);
  return relative(root, path);
}

/** Models of the operators that no other has; the recurrent one also in int8, dynamic, and as it is for engines to tune. */
async function writeRooms() {
  await build({
    ...{ absWorkingDir: root, entryPoints: ["test/engines/rooms.ts"], outdir: folder, logLevel: "warning" },
    ...{ bundle: true, format: "esm", platform: "node", target: "node20" },
  });
  const { rooms } = await import(join(folder, "rooms.js"));
  const paths = [];
  for (const [name, bytes] of Object.entries(rooms)) {
    const graph = importOnnx(bytes, { name });
    paths.push(write(`${name}.octette`, save(graph)));
    if (name !== "recurrent") continue;
    const shape = [CALIBRATION_SAMPLES, ...graph.inputs[0].shape.slice(1)];
    const data = Float32Array.from({ length: shape.reduce((n, dim) => n * dim) }, (_, i) => (i * 7919) % 97);
    const x = tensor(
      "f32",
      shape,
      data.map((v) => v / 48 - 1),
    );
    for (const [way, options] of [
      ["int8", { calibration: [{ x }] }],
      ["dynamic", { mode: "dynamic" }],
    ])
      paths.push(write(`${name} ${way}.octette`, save((await quantize(graph, options)).graph)));
    paths.push(write(`${name}.onnx`, bytes));
  }
  return paths;
}

/** A picture with smooth and sharp edges. */
function writePicture() {
  const [width, height] = [45, 37];
  const data = Uint8Array.from(
    { length: 4 * width * height },
    (_, i) => ((i >> 2) % width) * (1 + (i & 3)) ** 2 + 90 * ((i >> 7) & 1),
  );
  return write("picture.jpg", jpeg.encode({ width, height, data }, 80).data);
}

/** Artifacts of every model there is: float, static int8, also with weights of −128, and dynamic int8. */
async function writeArtifacts() {
  const models = [
    ["examples/digits/digits.onnx", "digits", digits],
    ["examples/digits/digits_wild.onnx", "digits_wild", digits],
  ];
  if (existsSync(dataFolder)) {
    const vision = (name) => [join(dataFolder, `vision/${name}.onnx`), name];
    models.push([...vision("mlp"), images(mnist("train"))]);
    for (const name of ["resnet8", "mobile"]) models.push([...vision(name), images(cifar("train"))]);
  } else console.log(`left out: mlp, resnet8 and mobile; no data in ${dataFolder} (set OCTETTE_DATA)`);
  const paths = [...(await writeLanguageModels()), ...(await writeRooms()), writePicture()];
  for (const [file, name, calibration] of models) {
    const graph = importOnnx(readFileSync(resolve(root, file)), { name });
    const add = (way, made) => void paths.push(write(`${name} ${way}.octette`, save(made)));
    add("float", graph);
    const { graph: int8 } = await quantize(graph, { calibration: await calibration(graph) });
    add("int8", int8);
    add("int8 to -128", withLowest(int8));
    add("dynamic", (await quantize(graph, { mode: "dynamic" })).graph);
  }
  return paths;
}

/** What an engine answers; an Error where it cannot be had or fails. */
async function answersOf(engine, artifacts) {
  const start = performance.now();
  const text = await engine.ask(artifacts);
  console.log(`${engine.name}: ${((performance.now() - start) / 1000).toFixed(0)} s`);
  if (text.startsWith("{")) return JSON.parse(text);
  throw new Error(text);
}

const firstLine = ({ stderr, message }) => (stderr || message).trim().split("\n")[0];

const artifacts = await writeArtifacts();
const expected = await answersOf(here, artifacts);
const rows = [];
for (const engine of [here, ...others])
  try {
    const found = engine === here ? expected : await answersOf(engine, artifacts);
    rows.push([engine.name, found.relaxedDot, found.engineClass, ...comparisons(found)]);
  } catch (error) {
    console.log(`left out: ${engine.name}; ${firstLine(error)}`);
    process.exitCode = 1;
  }

/** For what was asked of it, whether an engine comes to the bytes of this machine, or what differs. */
function comparisons(found) {
  const differing = Object.keys(expected.answers).filter(
    (path) => found.answers[path] !== expected.answers[path],
  );
  const made = Object.entries(expected.artifacts).map(([how, hash]) => found.artifacts[how] === hash);
  if (differing.length > 0 || made.includes(false)) process.exitCode = 1;
  const models = differing.map(
    (path) => `${basename(path, ".octette")}: ${found.answers[path].slice(0, 20)}`,
  );
  return [models.join(", ") || "same bytes", ...made.map((isSame) => (isSame ? "same bytes" : "DIFFERS"))];
}

const count = Object.keys(expected.answers).length;
const titles = ["", "relaxed dot product", "class", `${count} models`, ...Object.keys(expected.artifacts)];
console.log(`\n${formatTable(titles, rows)}`);
