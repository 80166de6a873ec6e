// Checkpoints on a disk: whatever stops a save, at whatever instant, the last or the one before is whole.

import { spawn, spawnSync } from "node:child_process";
import { mkdtemp, readdir, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { build } from "esbuild";
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test, vi } from "vitest";
import { FormatError } from "../../src/errors";
import { Random } from "../../src/graph/random";
import { tensor } from "../../src/graph/tensor";
import { type CheckpointState, writeCheckpoint } from "../../src/train/checkpoint/checkpoint";
import { loadCheckpoint, saveCheckpoint } from "../../src/train/checkpoint/file";

/** What happens to the file system: from its `at`-th operation on, or at that one only, operations fail. */
const fault = vi.hoisted(() => ({
  at: Number.POSITIVE_INFINITY,
  lasting: false,
  code: "EIO",
  done: 0,
  log: [] as string[],
}));

vi.mock("../../src/node-module", async (original) => {
  const module = await original<typeof import("../../src/node-module")>();
  const { nodeModule } = module;
  const real = nodeModule("node:fs/promises")!;
  const fails = (name: string) => {
    fault.log.push(name);
    const n = fault.done++;
    return n === fault.at || (fault.lasting && n > fault.at);
  };
  const failure = () => Object.assign(new Error(`${fault.code}: made to fail, open`), { code: fault.code });
  const guard =
    <F extends (...args: never[]) => Promise<unknown>>(name: string, call: F) =>
    async (...args: Parameters<F>) => {
      if (fails(name)) throw failure();
      return call(...args);
    };
  const guarded = {
    ...real,
    readdir: guard("readdir", real.readdir as never),
    rename: guard("rename", real.rename),
    unlink: guard("unlink", real.unlink),
    async open(...args: Parameters<typeof real.open>) {
      if (fails("open")) throw failure();
      const file = await real.open(...args);
      const { appendFile, sync } = file;
      file.appendFile = async (data, options) => {
        if (!fails("appendFile")) return appendFile.call(file, data, options);
        await appendFile.call(file, (data as Uint8Array).subarray(0, 1000), options);
        throw failure();
      };
      file.sync = guard("sync", sync.bind(file)) as typeof sync;
      return file;
    },
  };
  const guardedModule = (name: Parameters<typeof nodeModule>[0]) =>
    name === "node:fs/promises" ? guarded : nodeModule(name);
  return { ...module, nodeModule: guardedModule };
});

const heal = () => Object.assign(fault, { at: Number.POSITIVE_INFINITY, lasting: false, done: 0, log: [] });

let folder: string;
let path: string;
beforeEach(async () => {
  heal();
  folder = await mkdtemp(join(tmpdir(), "octette-checkpoint-"));
  path = join(folder, "run.ckpt");
});
afterEach(() => rm(folder, { recursive: true }));

/** A checkpoint of which every number says its step. */
const checkpointOf = (step: number, length = 1000): CheckpointState => ({
  model: "ab".repeat(32),
  tensors: new Map([["master/w", tensor("f32", [length], new Array(length).fill(step))]]),
  progress: { step },
});

/** The step of what is loaded, 0 where there is nothing; every number of it must say the same. */
async function loadedStep(from = path): Promise<number> {
  const loaded = await loadCheckpoint(from);
  if (!loaded) return 0;
  const { step } = loaded.state.progress;
  expect(loaded.state.tensors.get("master/w")!.data.every((value) => value === step)).toBe(true);
  return step as number;
}

describe("saving and loading", () => {
  test("nothing was saved", async () => expect(await loadCheckpoint(path)).toBeUndefined());

  test("the last one is loaded without a note, and the one before is kept", async () => {
    for (const step of [1, 2, 3]) await saveCheckpoint(path, checkpointOf(step));
    expect(await loadedStep()).toBe(3);
    expect((await loadCheckpoint(path))?.note).toBeUndefined();
    expect(await loadedStep(`${path}.previous`)).toBe(2);
    expect((await readdir(folder)).sort()).toEqual(["run.ckpt", "run.ckpt.previous"]);
  });

  test("where the last one is damaged or missing, the one before is used and a note says why", async () => {
    for (const step of [1, 2]) await saveCheckpoint(path, checkpointOf(step));
    await writeFile(path, (await readFile(path)).subarray(0, 2000));
    expect(await loadedStep()).toBe(1);
    const { note } = (await loadCheckpoint(path))!;
    expect(note).toMatch(/run\.ckpt at byte 2000: truncated: .*; .*run\.ckpt\.previous is used/);
    await rm(path);
    expect((await loadCheckpoint(path))?.note).toMatch(/run\.ckpt: it is missing; .*previous is used/);
  });

  test("a damaged one does not take the place of a whole one", async () => {
    for (const step of [1, 2]) await saveCheckpoint(path, checkpointOf(step));
    await writeFile(path, "damaged");
    await saveCheckpoint(path, checkpointOf(3));
    expect([await loadedStep(), await loadedStep(`${path}.previous`)]).toEqual([3, 1]);
  });

  test("where none is whole, the error says what is wrong with each", async () => {
    await writeFile(path, "damaged");
    await expect(loadCheckpoint(path)).rejects.toThrow(FormatError);
    await expect(loadCheckpoint(path)).rejects.toThrow(/no intact checkpoint: got .*Remove what is there/);
    await writeFile(`${path}.previous`, writeCheckpoint(checkpointOf(1)).subarray(0, 500));
    await expect(loadCheckpoint(path)).rejects.toThrow(/run\.ckpt.*; .*run\.ckpt\.previous/);
  });
});

/** What may lie there when a save begins, and the step that is loaded then. */
const beginnings: Record<string, readonly [step: number, prepare: () => Promise<unknown>]> = {
  nothing: [0, async () => {}],
  one: [1, () => saveCheckpoint(path, checkpointOf(1))],
  two: [
    2,
    async () => {
      for (const step of [1, 2]) await saveCheckpoint(path, checkpointOf(step));
    },
  ],
  "a damaged one and a whole one before": [
    1,
    async () => {
      for (const step of [1, 2]) await saveCheckpoint(path, checkpointOf(step));
      await writeFile(path, "damaged");
    },
  ],
};

describe.each(Object.entries(beginnings))("stopped at every operation, where there was %s", (_, [
  before,
  prepare,
]) => {
  test.each([
    ["the process ends there", true],
    ["that one operation fails", false],
  ])("%s: the last or the one before is whole, and saving goes on", async (_, lasting) => {
    let stopped = 0;
    for (let at = 0; ; at++) {
      heal();
      await rm(folder, { recursive: true });
      folder = await mkdtemp(join(tmpdir(), "octette-checkpoint-"));
      path = join(folder, "run.ckpt");
      await prepare();
      Object.assign(fault, { at, lasting, done: 0, log: [] });
      const error = await saveCheckpoint(path, checkpointOf(9)).catch((error) => error);
      const { done } = fault;
      heal();
      if (done <= at) break;
      stopped++;
      const step = await loadedStep();
      if (error) expect(error.message).toContain(`${path}: cannot be written: EIO: made to fail`);
      expect(error ? [before, 9] : [9]).toContain(step);
      await saveCheckpoint(path, checkpointOf(10));
      expect(await loadedStep()).toBe(10);
    }
    expect(stopped).toBeGreaterThanOrEqual(7);
  });
});

test.each([
  ["ENOSPC", /cannot be written: ENOSPC: made to fail\. Free some space, or name another disk$/],
  ["EROFS", /cannot be written: EROFS: made to fail\. Name a folder on a disk that takes files$/],
  ["EACCES", /cannot be written: EACCES: made to fail\. Name a folder that you may write to$/],
])("%s says what to do, and leaves what was there", async (code, message) => {
  for (const step of [1, 2]) await saveCheckpoint(path, checkpointOf(step));
  const files = ["run.ckpt", "run.ckpt.previous"];
  const contents = () => Promise.all(files.map((file) => readFile(join(folder, file))));
  const before = await contents();
  heal();
  Object.assign(fault, { at: fault.log.length + (code === "ENOSPC" ? 2 : 1), code });
  await expect(saveCheckpoint(path, checkpointOf(3))).rejects.toThrow(message);
  heal();
  expect((await readdir(folder)).sort()).toEqual(files);
  expect(await contents()).toEqual(before);
});

describe("another process", () => {
  let scripts: string;
  let script: string;
  beforeAll(async () => {
    scripts = await mkdtemp(join(tmpdir(), "octette-saver-"));
    script = join(scripts, "saver.mjs");
    await build({
      stdin: {
        contents: `
          import { writeSync } from "node:fs";
          import { loadCheckpoint, saveCheckpoint } from "./src/train/checkpoint/file";
          const [path, length, steps] = [process.argv[2], Number(process.argv[3]), Number(process.argv[4])];
          let { step } = (await loadCheckpoint(path))?.state.progress ?? { step: 0 };
          for (const end = step + steps; step < end; ) {
            const data = new Float32Array(length).fill(++step);
            const tensors = new Map([["master/w", { dtype: "f32", shape: [length], data }]]);
            await saveCheckpoint(path, { model: "ab".repeat(32), tensors, progress: { step } });
            writeSync(1, step + "\\n");
          }`,
        resolveDir: fileURLToPath(new URL("../..", import.meta.url)),
      },
      bundle: true,
      format: "esm",
      platform: "node",
      outfile: script,
      logLevel: "error",
    });
  });
  afterAll(() => rm(scripts, { recursive: true }));

  /** Saves without end, is killed `delay` milliseconds after its first save, and says the last step it told of. */
  const killed = (delay: number): Promise<number> =>
    new Promise((resolve, reject) => {
      const child = spawn(process.execPath, [script, path, `${1 << 16}`, "1000000"]);
      let told = "";
      child.stdout.on("data", (chunk) => {
        if (told === "") setTimeout(() => child.kill("SIGKILL"), delay);
        told += chunk;
      });
      child.stderr.on("data", (chunk) => reject(new Error(`${chunk}`)));
      child.on("error", reject);
      child.on("close", () => resolve(Number(told.trimEnd().split("\n").at(-1))));
    });

  test("killed 20 times while it saves: the last or the one before is whole, and nothing piles up", async () => {
    const random = new Random(8);
    for (let i = 0; i < 20; i++) {
      const last = await killed(20 * random.uniform());
      const step = await loadedStep();
      // What was told of was saved; the one after it may have been, too.
      expect([last, last + 1]).toContain(step);
      const left = (await readdir(folder)).filter((file) => !file.startsWith("run.ckpt"));
      expect(left.length).toBeLessThanOrEqual(1);
    }
    await saveCheckpoint(path, checkpointOf(1));
    expect((await readdir(folder)).sort()).toEqual(["run.ckpt", "run.ckpt.previous"]);
  });

  /** Runs the saver on a small disk, or one that takes nothing. */
  const onDisk = (options: string, length: number) =>
    spawnSync(
      "unshare",
      [
        "-rm",
        "sh",
        "-c",
        `cp -r "${folder}" "${scripts}/was" && mount -t tmpfs -o size=256k tmpfs "${folder}" &&
         cp "${scripts}/was/"* "${folder}" && mount -o remount,${options} "${folder}" || exit 77
         "${process.execPath}" "${script}" "${path}" ${length} 1 2>&1; echo "exit $?"
         rm -r "${scripts}/was"; cp -r "${folder}" "${scripts}/is"`,
      ],
      { encoding: "utf8" },
    );
  const hasDisks = spawnSync("unshare", ["-rm", "mount", "-t", "tmpfs", "tmpfs", tmpdir()]).status === 0;

  test.runIf(hasDisks).each([
    ["a full disk", "size=256k", 1 << 17, /cannot be written: ENOSPC: no space left on device\. Free/],
    ["a read-only disk", "ro", 10, /cannot be written: EROFS: read-only file system\. Name a folder/],
  ])("%s: what was there is as it was", async (_, options, length, message) => {
    for (const step of [1, 2]) await saveCheckpoint(path, checkpointOf(step));
    const { stdout, status } = onDisk(options, length);
    expect(status).toBe(0);
    expect(stdout).toMatch(message);
    expect(stdout).toContain("exit 1");
    const after = join(scripts, "is");
    expect((await readdir(after)).sort()).toEqual(["run.ckpt", "run.ckpt.previous"]);
    for (const file of await readdir(after))
      expect(await readFile(join(after, file))).toEqual(await readFile(join(folder, file)));
    await rm(after, { recursive: true });
  });
});
