// Kills `octette tune` at random instants and lets it go on: node test/train/kill.js [KILLS], 200 by default. Whenever it was
// killed, the resumed run must end in the bytes of the one that nobody disturbed, and leave no other file. Prints one line.

import { spawn } from "node:child_process";
import { mkdtemp, readdir, readFile, rm } from "node:fs/promises";
import { availableParallelism, tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";

const KILLS = Number(process.argv[2] ?? 200);
const here = (name) => fileURLToPath(new URL(`../../${name}`, import.meta.url));
const digits = (name) => here(`examples/digits/${name}`);
const normalize = ["--normalize", "1/16,0,1"];
const FILE = "tuned.octette";

const folder = await mkdtemp(join(tmpdir(), "octette-kill-"));
const base = join(folder, "base.octette");
const calibrate = ["--calibrate", digits("train.npz"), "--samples", "64", ...normalize, "--bits", "2"];
await octette(["quantize", digits("digits_wild.onnx"), ...calibrate, "-o", base]);

/** Every part of a checkpoint has a say in the result: order, mirrored images, momentum, rate, best state. */
const tune = (output) => [
  ...["tune", base, "--data", digits("test.npz"), "-o", output, "--flip", "--epochs", "4", "--batch", "32"],
  ...["--lr", "0.001", "--checkpoint", "1", "--resume", "--json"],
];
const began = performance.now();
const { stdout } = await octette(tune(join(folder, FILE)));
const duration = performance.now() - began;
const expected = await readFile(join(folder, FILE));
if (JSON.parse(stdout).summary.best === 0)
  throw new Error("tuning changed nothing: there is nothing to lose");

let [killed, resumed] = [0, 0];
await Promise.all(Array.from({ length: Math.min(4, availableParallelism()) }, killInTurn));
await rm(folder, { recursive: true });
console.log(
  `${killed} kills, ${resumed} of them with a checkpoint to go on from: every resume ended in the same ${expected.length} bytes`,
);

async function killInTurn() {
  while (killed < KILLS) {
    const run = await mkdtemp(join(folder, "run-"));
    const output = join(run, FILE);
    const { signal } = await octette(tune(output), Math.random() * duration);
    if (signal) killed++;
    const files = await readdir(run);
    if (signal && files.some((file) => file.startsWith(`${FILE}.checkpoint`))) resumed++;
    await octette(tune(output));
    const left = await readdir(run);
    if (!expected.equals(await readFile(output))) throw new Error(`${output}: other bytes`);
    if (left.join() !== FILE) throw new Error(`${run}: left behind ${left}`);
    await rm(run, { recursive: true });
  }
}

/** Runs the built command line, to its end or until it is killed after some milliseconds. */
function octette(args, delay) {
  return new Promise((resolve, reject) => {
    const child = spawn(process.execPath, [here("build/cli.js"), ...args]);
    const [out, err] = [[], []];
    child.stdout.on("data", (chunk) => out.push(chunk));
    child.stderr.on("data", (chunk) => err.push(chunk));
    const timer = delay === undefined ? undefined : setTimeout(() => child.kill("SIGKILL"), delay);
    child.on("error", reject);
    child.on("close", (code, signal) => {
      clearTimeout(timer);
      if (code === 0 || (delay !== undefined && signal === "SIGKILL"))
        resolve({ stdout: out.join(""), signal });
      else reject(new Error(`octette ${args.join(" ")}: ${code ?? signal}\n${err.join("")}`));
    });
  });
}
