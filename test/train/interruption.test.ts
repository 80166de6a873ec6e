// Tuning may be stopped at any instant, by a signal, Ctrl-C, SIGKILL or a disk, and goes on to the same bytes.

import { spawnSync } from "node:child_process";
import { cp, mkdtemp, readdir, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { importOnnx, openDataset, parseNormalize, quantize, save } from "../../src/index";
import { type CheckpointState, readCheckpoint, writeCheckpoint } from "../../src/train/checkpoint/checkpoint";
import { type TuneOptions, tune } from "../../src/train/index";
import { example, octette } from "../cli/spawn";
import { readExample } from "../examples";

const cli = fileURLToPath(new URL("../../build/cli.js", import.meta.url));
const killer = fileURLToPath(new URL("kill.js", import.meta.url));

let folder: string;
let base: string;
const file = (name: string) => join(folder, name);
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "octette-interruption-"));
  base = file("base.octette");
  await writeFile(base, save(graph));
});
afterAll(() => rm(folder, { recursive: true }));

/** Two bits a weight, so that there is much to learn in few steps. */
const float = importOnnx(await readExample("digits_wild.onnx"), { name: "digits_wild" });
const inputs = float.inputs.map((input) => ({ ...input, preprocessing: parseNormalize("1/16,0,1") }));
const data = (await openDataset(example("train.npz"), inputs)).take(400);
const { graph } = await quantize({ ...float, inputs }, { calibration: data.take(64).batches(32), bits: 2 });
/** 12 steps in two epochs, after each of which 40 samples validate. */
const options: TuneOptions = { data, lr: 0.001, epochs: 2, flip: true };
const STEPS = 12;

describe("a signal", () => {
  let whole: Awaited<ReturnType<typeof tune>>;
  beforeAll(async () => {
    whole = await tune(graph, options);
    expect(whole.summary.best).toBeGreaterThan(0);
  });

  /** Stops a run by `when`, which is told of everything, and says what is left of it. */
  async function stopped(when: (what: string, abort: () => void) => void): Promise<CheckpointState> {
    const controller = new AbortController();
    const reason = new Error("enough");
    const told = (what: string) => when(what, () => controller.abort(reason));
    let saved: Uint8Array | undefined;
    const run = tune(graph, {
      ...options,
      signal: controller.signal,
      onStep: ({ step }) => told(`step ${step}`),
      onEpoch: ({ epoch }) => told(`epoch ${epoch}`),
      checkpoint: { every: STEPS + 1, save: (state) => void (saved = writeCheckpoint(state)) },
    });
    await expect(run).rejects.toBe(reason);
    return readCheckpoint(saved!);
  }

  test.each([
    ["between two steps", "step 2", 2, 0],
    ["while an epoch's end is validated", "step 6", 6, 0],
    ["after that", "epoch 1", 6, 1],
    ["while the last is validated", "step 12", 12, 1],
  ])("%s leaves a checkpoint that ends in the same bytes", async (_, at, step, epochs) => {
    const state = await stopped((what, abort) => what === at && abort());
    expect(state.progress).toMatchObject({ step });
    expect(state.progress.epochs).toHaveLength(epochs);
    const resumed = await tune(graph, { ...options, checkpoint: { state, save() {} } });
    expect(save(resumed.graph)).toEqual(save(whole.graph));
    expect(resumed.summary).toEqual(whole.summary);
  });

  test("before the first step there is nothing to keep", async () => {
    const controller = new AbortController();
    controller.abort(new Error("at once"));
    const checkpoint = { save: () => expect.unreachable() };
    await expect(tune(graph, { ...options, checkpoint, signal: controller.signal })).rejects.toThrow(
      "at once",
    );
  });

  test("a checkpoint of other options or another model is refused, with what is different", async () => {
    const state = await stopped((what, abort) => what === "step 2" && abort());
    const resume = (more: Partial<TuneOptions>, from = state, model = graph) =>
      tune(model, { ...options, ...more, checkpoint: { state: from, save() {} } });
    await expect(resume({ lr: 0.002, seed: 3 })).rejects.toThrow(
      "checkpoint: the checkpoint is of another run: expected lr 0.002, seed 3, got lr 0.001, seed 0. Resume",
    );
    await expect(resume({ teacher: float })).rejects.toThrow(/losses.*teacher "[0-9a-f]{64}".*teacher none/);
    const others = options.data.pick(Array.from({ length: options.data.count }, (_, i) => i ^ 1));
    await expect(resume({ data: others })).rejects.toThrow(/another run: expected data \["[0-9a-f]{16}",/);
    const other = { ...state, model: "ab".repeat(32) };
    await expect(resume({}, other)).rejects.toThrow("expected one of this model, got one of another");
  });
});

test("8 kills at random instants: every resume ends in the same bytes", { timeout: 300_000 }, () => {
  const { stdout, stderr, status } = spawnSync(process.execPath, [killer, "8"], { encoding: "utf8" });
  expect(stderr).toBe("");
  expect(stdout).toMatch(/^(8|9|1[01]) kills, \d+ of them with a checkpoint.*the same \d+ bytes\n$/);
  expect(status).toBe(0);
});

describe("from the command line", () => {
  const args = (output: string, ...more: string[]) => [
    ...["tune", base, "--data", example("train.npz"), "--lr", "0.001", "--epochs", "2", "-o", output],
    ...more,
  ];

  test("Ctrl-C keeps the step that it came after, the old file, and says how to go on", async () => {
    const [whole, output] = [file("whole.octette"), file("stopped.octette")];
    expect((await octette(args(whole))).code).toBe(0);
    await writeFile(output, "old");
    const stopped = await octette(args(output), { interruptWhen: /epoch 1\/2 {2}1\// });
    expect([stopped.code, stopped.stdout]).toEqual([130, ""]);
    expect(stopped.stderr).toMatch(
      /stopped\.octette\.checkpoint holds step \d+: the same command with --resume goes on from there\noctette: interrupted\n$/,
    );
    expect(await readFile(output, "utf8")).toBe("old");
    const step = /holds step (\d+)/.exec(stopped.stderr)![1]!;

    const other = await octette(args(output, "--resume", "--batch", "32"));
    expect(other.code).toBe(1);
    expect(other.stderr).toMatch(
      /the checkpoint is of another run: expected batch 32, got batch 64\. Resume/,
    );
    expect(other.stderr).not.toContain("goes on");

    const resumed = await octette(args(output, "--resume"));
    expect(resumed.stderr).toContain(`goes on from ${output}.checkpoint, step ${step}\n`);
    expect(resumed.code).toBe(0);
    expect(await readFile(output)).toEqual(await readFile(whole));
    expect((await readdir(folder)).filter((name) => name.includes("checkpoint"))).toEqual([]);
  });

  test("a damaged checkpoint gives way to the one before, one not asked for is mentioned", async () => {
    const [whole, output] = [file("whole.octette"), file("damaged.octette")];
    const stopped = await octette(args(output, "--checkpoint", "1"), { interruptWhen: /epoch 1\/2 {2}8\// });
    expect(stopped.code).toBe(130);
    const checkpoint = `${output}.checkpoint`;
    for (const name of [checkpoint, `${checkpoint}.previous`])
      await cp(name, name.replace("damaged", "mentioned"));
    await writeFile(checkpoint, (await readFile(checkpoint)).subarray(0, 1000));
    const resumed = await octette(args(output, "--resume"));
    expect(resumed.stderr).toMatch(/checkpoint.*damaged\.octette\.checkpoint\.previous is used\n/);
    expect(await readFile(output)).toEqual(await readFile(whole));

    const mentioned = file("mentioned.octette");
    const anew = await octette(args(mentioned));
    expect(anew.stderr).toMatch(
      /mentioned\.octette\.checkpoint holds step \d+ of an earlier run of this model; without --resume it is begun anew\n/,
    );
    expect(await readFile(mentioned)).toEqual(await readFile(whole));
    const none = await octette(args(mentioned, "--resume"));
    expect(none.stderr).toContain(`no checkpoint at ${mentioned}.checkpoint: begins anew\n`);
  });

  const hasDisks = spawnSync("unshare", ["-rm", "mount", "-t", "tmpfs", "tmpfs", tmpdir()]).status === 0;

  /** Tunes to a disk of this kind, with an earlier model on it, and says what is on it afterwards. */
  function tunedTo(disk: string, ...more: string[]) {
    const [at, output] = [file("disk"), join(file("disk"), "o.octette")];
    const command = [process.execPath, cli, ...args(output, ...more)].map((arg) => `"${arg}"`).join(" ");
    const script = `mkdir -p "${at}" && mount -t tmpfs -o size=64k tmpfs "${at}" && echo earlier > "${output}" &&
      mount -o remount,${disk} "${at}" || exit 77
      ${command} 2>&1; echo "exit $?"; ls "${at}"; cat "${output}"`;
    return spawnSync("unshare", ["-rm", "sh", "-c", script], { encoding: "utf8" });
  }

  test.runIf(hasDisks)("a full disk: the checkpoint is named, the earlier model is as it was", () => {
    const { stdout, status } = tunedTo("size=64k", "--checkpoint", "1");
    expect(status).toBe(0);
    expect(stdout).toMatch(
      /o\.octette\.checkpoint: cannot be written: ENOSPC: no space left on device\. Free some space, or name another disk\nexit 1\no\.octette\nearlier\n$/,
    );
  });

  test.runIf(hasDisks)(
    "a disk that is full at the end: the model is named, the earlier one is as it was",
    () => {
      const { stdout } = tunedTo("size=16k", "--checkpoint", "1000");
      expect(stdout).toMatch(
        /o\.octette: cannot be written: ENOSPC: no space left on device\. Free.*\nexit 1\no\.octette\nearlier\n$/,
      );
    },
  );

  test.runIf(hasDisks)("a read-only disk is named before the work", () => {
    const { stdout } = tunedTo("ro");
    expect(stdout).toMatch(
      /^octette: .*o\.octette: cannot be written: EROFS: read-only file system\. Name a folder.*\nexit 1\no\.octette\nearlier\n$/,
    );
  });
});

describe("what stops by itself", () => {
  test("a learning rate that is too large: the step, the parameter and the advice; the model as it was", async () => {
    for (const lr of [10, 1e38]) {
      const { graph: tuned, summary } = await tune(graph, { ...options, lr });
      expect(summary.warnings[0]).toMatch(
        /^stopped at step \d: the loss is .*; "[^"]+" is (.* times as large as it began|not finite)\. Take a smaller lr than /,
      );
      expect(summary.warnings[1]).toMatch(/^no epoch did better than the model before tuning.*which is kept/);
      expect(summary).toMatchObject({ best: 0, after: summary.before });
      expect(save(tuned)).toEqual(save(graph));
    }
  });
});
