// The checkpoints of README.md, as it shows them: a run that is killed goes on from its file to the same bytes.

import { spawn } from "node:child_process";
import { existsSync, readFileSync } from "node:fs";
import { mkdir, mkdtemp, readdir, readFile, rm, symlink, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { afterAll, beforeAll, expect, test } from "vitest";
import { readCheckpoint } from "../../src/index";
import { example } from "../cli/spawn";

const root = fileURLToPath(new URL("../../", import.meta.url));
const [, snippet] = /```js\n([^`]*saveCheckpoint[^`]*)```/.exec(
  readFileSync(join(root, "README.md"), "utf8"),
)!;

/** What README.md has before: the eight lines, and the import of tune. */
const program = `
import { readFile, writeFile } from "node:fs/promises";
import { importOnnx, openDataset, save, tune } from "octette";
const float = importOnnx(await readFile(process.argv[2]));
const data = await openDataset(process.argv[3], float.inputs, {
  normalize: { layout: "nchw", scale: 1 / 16, mean: [0], std: [1] },
});
${snippet}`;

let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "octette-readme-"));
  await mkdir(join(folder, "node_modules"));
  await symlink(root, join(folder, "node_modules/octette"));
});
afterAll(() => rm(folder, { recursive: true }));

/** Runs the program in a folder of its own; kills it once `until` is there. */
async function run(name: string, until?: string) {
  const cwd = join(folder, name);
  await mkdir(cwd, { recursive: true });
  await writeFile(join(cwd, "tune.mjs"), program);
  const args = ["tune.mjs", example("digits.onnx"), example("train.npz")];
  const child = spawn(process.execPath, args, { cwd, stdio: ["ignore", "inherit", "inherit"] });
  const watch = setInterval(() => {
    if (until && existsSync(join(cwd, until))) child.kill("SIGKILL");
  }, 5);
  try {
    return await new Promise((resolve, reject) => {
      child.on("error", reject);
      child.on("close", (code, signal) => resolve(signal ?? code));
    });
  } finally {
    clearInterval(watch);
  }
}

test("a run that was killed goes on from its file to the same bytes, and removes it", {
  timeout: 120_000,
}, async () => {
  expect(await run("whole")).toBe(0);
  expect(await run("killed", "tuned.checkpoint")).toBe("SIGKILL");
  const file = (name: string) => readFile(join(folder, name));
  const { progress } = readCheckpoint(await file("killed/tuned.checkpoint"));
  expect(progress.step).toBeGreaterThanOrEqual(20);
  expect(await run("killed")).toBe(0);
  expect(await file("killed/tuned.octette")).toEqual(await file("whole/tuned.octette"));
  for (const name of ["whole", "killed"])
    expect((await readdir(join(folder, name))).sort()).toEqual(["tune.mjs", "tuned.octette"]);
});
