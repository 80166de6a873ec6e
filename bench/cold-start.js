// What a process takes that imports the package, loads a model from bytes, runs it once and ends, beyond an empty process: two builds by turns, each with the int8 model
// that it makes of examples/digits. A ratio above 1 is less than before.
//
//   npm run build && node bench/cold-start.js FOLDER_OF_THE_OTHER_BUILD [ROUNDS=40] [ENTRY=runtime]     (runtime, index)

import { spawnSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { fileURLToPath, pathToFileURL } from "node:url";

const [other, rounds = "40", entry = "runtime"] = process.argv.slice(2);
const root = fileURLToPath(new URL("..", import.meta.url));
const builds = { before: resolve(other), after: join(root, "build") };
const folder = mkdtempSync(join(tmpdir(), "octette-start-"));
const TELL = `process.on("exit", () => {
  const { userCPUTime, systemCPUTime, maxRSS } = process.resourceUsage();
  console.log(JSON.stringify([(userCPUTime + systemCPUTime) / 1000, performance.now(), maxRSS / 1024]));
});`;

/** The script of a process that starts with a build. */
async function scriptOf(build) {
  const file = (name) => JSON.stringify(pathToFileURL(join(build, `${name}.js`)).href);
  const { importOnnx, quantize, save, tensor } = await import(JSON.parse(file("index")));
  const graph = importOnnx(readFileSync(`${root}examples/digits/digits.onnx`));
  const [{ name, shape }] = graph.inputs;
  const inner = shape.slice(1);
  const size = inner.reduce((a, b) => a * b, 1);
  const data = Float32Array.from({ length: 8 * size }, (_, i) => (i % 17) / 17);
  const calibration = [{ [name]: tensor("f32", [8, ...inner], data) }];
  const model = join(folder, `${Math.random()}.octette`);
  writeFileSync(model, save((await quantize(graph, { calibration })).graph));
  return `import { readFileSync } from "node:fs";
    import { load } from ${file(entry)};
    const model = await load(readFileSync(${JSON.stringify(model)}));
    model.runSync({ ${JSON.stringify(name)}: { dtype: "f32", shape: [1, ${inner}], data: new Float32Array(${size}) } });`;
}

const names = ["empty", ...Object.keys(builds)];
const scripts = ["", ...(await Promise.all(Object.values(builds).map(scriptOf)))];
for (const [i, script] of scripts.entries()) writeFileSync(join(folder, `${names[i]}.mjs`), script + TELL);
const taken = names.map(() => []);
for (let round = 0; round <= Number(rounds); round++)
  for (const [i, name] of names.entries()) {
    const { stdout, stderr } = spawnSync(process.execPath, [join(folder, `${name}.mjs`)], {
      encoding: "utf8",
    });
    if (!stdout) throw new Error(stderr);
    if (round > 0) taken[i].push(JSON.parse(stdout));
  }
rmSync(folder, { recursive: true });

const median = (numbers) => numbers.sort((a, b) => a - b)[numbers.length >> 1];
for (const [column, what] of ["CPU, ms", "wall, ms", "peak RSS, MiB"].entries()) {
  const [empty, before, after] = taken.map((rows) => median(rows.map((row) => row[column])));
  const beyond = [before - empty, after - empty].map((value) => value.toFixed(1)).join(" before, ");
  const ratios = `before/after ${(before / after).toFixed(3)}, beyond empty ${((before - empty) / (after - empty)).toFixed(3)}`;
  console.log(`${what}: empty ${empty.toFixed(1)}; beyond it ${beyond} after; ${ratios}`);
}
