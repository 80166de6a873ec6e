// octette tune on the shipped digits, with so few bits that tuning has much to bring back.

import { mkdtemp, readdir, readFile, rm, stat, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { writeNpy } from "../../src/formats/npy";
import { readArtifact } from "../../src/index";
import { example, octette } from "./spawn";

const model = example("digits_wild.onnx");
const [train, testData] = [example("train.npz"), example("test.npz")];
const normalize = ["--normalize", "1/16,0,1"];

let folder: string;
let calibrated: string;
let tuned: string;
let outcome: Awaited<ReturnType<typeof octette>>;
const file = (name: string) => join(folder, name);
const bytes = async (path: string) => (await stat(path)).size;

/** Two epochs over the training images. */
const tune = (output: string, ...more: string[]) =>
  octette(["tune", model, "--data", train, ...normalize, ...SHORT, "-o", output, ...more]);
const SHORT = ["--bits", "2", "--lr", "0.001", "--epochs", "2"];

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "octette-tune-"));
  [calibrated, tuned] = [file("calibrated.octette"), file("tuned.octette")];
  const quantize = ["quantize", model, "--calibrate", train, ...normalize, "--bits", "2", "-o", calibrated];
  expect((await octette(quantize)).code).toBe(0);
  outcome = await tune(tuned, "--eval", testData);
});
afterAll(() => rm(folder, { recursive: true }));

describe("a float model", () => {
  test("ends with the models side by side, and what the difference is worth", () => {
    const { code, stdout } = outcome;
    expect(code).toBe(0);
    expect(stdout).toMatch(
      /^model +top-1 +agrees with float +file\n─+\nfloat +99\.00 % +100\.00 % +73\.7 kB\ncalibrated .*\ntuned .*\n\n/,
    );
    expect(stdout).toMatch(
      /\ndata {4}500 samples of .*test\.npz\ntuned {3}better than calibrated, beyond chance \(McNemar p .*e-\d+; right alone on \d+ samples, wrong alone on \d+\)\nkept {4}the end of epoch \d of 2\n/,
    );
    expect(stdout).toMatch(/digits_wild\.onnx → .*tuned\.octette\n$/);
  });

  test("says on standard error what it does, and a line an epoch", () => {
    const { stderr } = outcome;
    expect(stderr).toContain(
      "trains 17074 numbers on 1168 samples, 38 steps of 64 in 1.6 MB; 129 samples validate\n",
    );
    expect(stderr).toMatch(/\nbefore {5}validation \d+\.\d\d %, loss \d+\.\d{4}\n/);
    expect(stderr).toMatch(/\nepoch 1\/2 {2}4\/38 \(10 %\) {2}loss .* {2}.* % {2}\d+ s left {2}1\.6 MB\n/);
    for (const epoch of [1, 2])
      expect(stderr).toMatch(
        new RegExp(
          `\nepoch ${epoch}/2  validation .* %, loss .*  training .* %, [\\d.]+(  best)?  \\d+ codes moved\n`,
        ),
      );
    expect(stderr).toMatch(/measure {2}1500\/1500 \(100 %\)\n$/);
  });

  test("leaves the model and nothing else; the same command gives the same bytes", async () => {
    const again = file("again.octette");
    const { stdout } = await tune(again, "--eval", testData, "--json");
    expect(await readFile(again)).toEqual(await readFile(tuned));
    expect((await readdir(folder)).filter((name) => /checkpoint|tmp/.test(name))).toEqual([]);
    const result = JSON.parse(stdout);
    expect(result).toMatchObject({
      model,
      output: again,
      contentHash: readArtifact(await readFile(tuned)).contentHash,
      bytes: await bytes(tuned),
      on: testData,
      samples: 500,
      models: [
        { name: "float", top1: 99, agreement: 100, bytes: await bytes(model) },
        { name: "calibrated", bytes: await bytes(calibrated) },
        { name: "tuned", bytes: await bytes(tuned) },
      ],
      summary: { epochs: [{ epoch: 1 }, { epoch: 2 }], parameters: 17074, warnings: [] },
    });
    const { models, paired, summary } = result;
    expect(models[2].top1).toBeGreaterThan(models[1].top1 + 5);
    expect(500 * (models[2].top1 - models[1].top1)).toBeCloseTo(
      100 * (paired.onlyRight - paired.onlyOtherRight),
    );
    expect(paired.p).toBeLessThan(0.01);
    expect(summary.after.accuracy).toBeGreaterThan(summary.before.accuracy);
  });

  test("begins with what octette quantize makes: its delta is against that", async () => {
    const [delta, applied] = [file("tuned.delta"), file("applied.octette")];
    const { code, stdout } = await tune(delta, "--delta", calibrated);
    expect(code).toBe(0);
    expect(stdout).toMatch(/\ndelta {3}\d\.\d kB\n/);
    expect(stdout).toContain("data    129 validation samples, which chose the state that is kept; --eval");
    expect(await bytes(delta)).toBeLessThan((await bytes(tuned)) / 4);
    expect((await octette(["apply", calibrated, delta, "-o", applied])).code).toBe(0);
    expect(await readFile(applied)).toEqual(await readFile(tuned));
  });
});

describe("a quantized model", () => {
  test("is tuned further within the memory there is, with a teacher to compare with", async () => {
    const output = file("further.octette");
    const args = ["tune", calibrated, "--data", testData, "--validation", train, "--teacher", model];
    const few = ["--epochs", "1", "--lr", "0.001", "--max-bytes", "500kB", "-o", output];
    const { code, stdout, stderr } = await octette([...args, ...few, "--json"]);
    expect(code).toBe(0);
    expect(stderr).toMatch(
      /trains last:\d+ instead of all, \d steps of \d+ an update: \d+ kB, where all in steps of 64 would take [\d.]+ MB\n/,
    );
    const { models, summary, on, samples } = JSON.parse(stdout);
    expect(models.map(({ name }: { name: string }) => name)).toEqual(["float", "before", "tuned"]);
    expect(summary.bytes).toBeLessThanOrEqual(500_000);
    expect([on, samples]).toEqual(["validation", 1297]);
  });

  test("of which only a part is trained; without a float model nothing is compared with one", async () => {
    const output = file("last.octette");
    const args = ["tune", calibrated, "--data", testData, "--train", "last:1", "--epochs", "1", "-o", output];
    const { stdout } = await octette([...args, "--json"]);
    const { summary, models } = JSON.parse(stdout);
    expect(summary.trained).toEqual(["fc.weight", "fc.bias"]);
    expect(models[0]).toEqual({ name: "before", top1: expect.any(Number), bytes: await bytes(calibrated) });
  });
});

test("where no epoch is better, the model stays as it was, and that is said", async () => {
  const output = file("same.octette");
  const { code, stdout, stderr } = await octette([
    ...["tune", model, "--data", testData, ...normalize, "--epochs", "1", "--lr", "1e-30", "-o", output],
  ]);
  expect(code).toBe(0);
  expect(stderr).toMatch(/warning: no epoch did better than the model before tuning .* which is kept/);
  expect(stdout).toMatch(
    /tuned {3}right where calibrated is, on every sample\nkept {4}the model as it was\n/,
  );
});

test("wrong usage and what cannot be tuned are named, and nothing is written", async () => {
  const output = file("none.octette");
  const unlabelled = file("images.npy");
  await writeFile(unlabelled, writeNpy({ dtype: "u8", shape: [4, 1, 8, 8], data: new Uint8Array(256) }));
  const more = (...args: string[]) => ["tune", calibrated, "--data", testData, "-o", output, ...args];
  const wrong: [string[], number, RegExp][] = [
    [["tune", calibrated, "-o", output], 2, /--data DATA is missing: what should it learn from\?/],
    [["tune", calibrated, "--data", train], 2, /-o FILE is missing: where should the tuned model go\?/],
    [more("--lr", "0"), 2, /--lr must be a number above 0, got "0"/],
    [more("--bits", "9"), 2, /--bits must be one of 2, 3, 4, 5, 6, 7, 8, got "9"/],
    [more("--epochs", "0"), 2, /--epochs must be a whole number from 1/],
    [more("--max-bytes", "much"), 2, /--max-bytes must be a size such as 64MB/],
    [more("--bits", "4"), 1, /calibrated\.octette: the model is quantized already.*Leave --bits out/],
    [more("--max-bytes", "1kB"), 1, /the model takes more memory than it may.*at most 1000 bytes/],
    [more("--train", "nothing"), 1, /train: matches nothing: expected one of onnx::Conv/],
    [more("--validation", "2"), 1, /validation: there is nothing to validate on/],
    [more("--eval", "nowhere.npz"), 1, /nowhere\.npz: cannot be read: ENOENT: no such file/],
    [more("--eval", unlabelled), 1, /images\.npy: there is nothing to learn from.*without labels.*--labels/],
    [more("--teacher", calibrated, "--delta", model), 1, /digits_wild\.onnx/],
    [more("-o", join(folder, "no", "o")), 1, /cannot be written: no such folder/],
  ];
  for (const [args, code, message] of wrong) {
    const { stdout, stderr, ...found } = await octette(args);
    expect(stderr).toMatch(message);
    expect([found.code, stdout]).toEqual([code, ""]);
  }
  expect((await readdir(folder)).filter((name) => name.startsWith("none"))).toEqual([]);
});
