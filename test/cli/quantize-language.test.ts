// octette quantize of language models: a folder becomes an artifact that generates, with a report for people and for programs.

import { existsSync } from "node:fs";
import { mkdir, mkdtemp, readdir, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { writeNpy } from "../../src/formats/npy";
import { writeSafetensors } from "../../src/formats/write-safetensors";
import type { Tensor } from "../../src/graph/tensor";
import { type MadeOptions, madeIds, madeModel } from "../quantize/language/made-model";
import { tinyNames, tinyPath } from "../text/tiny";
import { octette } from "./spawn";

let folder: string;
let model: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "octette-quantize-language-"));
  model = join(folder, "model");
  await mkdir(model);
  const { config, text } = madeModel();
  await writeFile(join(model, "config.json"), JSON.stringify(config));
  await writeFile(join(model, "generation_config.json"), JSON.stringify(text.generationConfig));
  await writeFile(join(model, "model.safetensors"), await weightsOf({}));
  await writeFile(join(folder, "outliers.safetensors"), await weightsOf({ outliers: 200 }));
  const ids = madeIds(256 * 5);
  await writeFile(join(folder, "ids.npy"), writeNpy({ dtype: "i32", shape: [ids.length], data: ids }));
});
afterAll(() => rm(folder, { recursive: true }));

async function weightsOf(options: MadeOptions): Promise<Uint8Array> {
  const { tensors, read } = madeModel(options);
  const all = new Map<string, Tensor>();
  for (const name of tensors.keys()) all.set(name, await read(name));
  return writeSafetensors(all);
}

const quantize = (...args: string[]) =>
  octette(["quantize", model, "-o", join(folder, "out.octette"), "--threads", "1", ...args]);

test("stopped by Ctrl-C it says where its work is kept, and the folder is what to give", async () => {
  const output = join(folder, "stopped.octette");
  const stopped = await octette(["quantize", model, "-o", output, "--threads", "1"], {
    interruptWhen: /^quantize /m,
  });
  expect(stopped.code).toBe(130);
  expect(stopped.stderr).toContain(`${output}.parts has what is done: the same command goes on from there\n`);
  expect(existsSync(`${output}.parts`)).toBe(true);
  await rm(`${output}.parts`, { recursive: true });
  const part = await octette(["quantize", join(model, "config.json"), "-o", output]);
  expect([part.code, part.stderr]).toEqual([
    1,
    expect.stringContaining(`expected the folder itself. octette quantize ${model} takes all of its files`),
  ]);
});

test("by text that it writes itself, told in words", async () => {
  const { code, stdout, stderr } = await quantize();
  expect(code).toBe(0);
  expect(stdout).toMatch(/on 510 tokens +perplexity +KLD +same top token/);
  expect(stdout).toMatch(/weights: 15 of 8 bits; norms not folded; calibrated by 2048 tokens/);
  expect(stderr).toMatch(/evaluate .*s left/);
  expect((await readdir(folder)).filter((name) => name.includes("parts"))).toEqual([]);
  const run = await octette([
    "generate",
    join(folder, "out.octette"),
    "--ids",
    "1,2,3",
    "--max-tokens",
    "4",
    "--json",
  ]);
  expect([run.code, JSON.parse(run.stdout).tokens.length]).toEqual([0, 4]);
  const artifact = join(folder, "out.octette");
  for (const args of [
    ["eval", artifact, "--data", "no.txt"],
    ["tune", artifact, "--data", "no.txt", "-o", join(folder, "no.octette")],
  ])
    expect(await octette(args)).toMatchObject({
      code: 1,
      stderr: expect.stringMatching(/out\.octette: this command takes no language model: .* perplexity, /),
    });
  expect(await octette(["eval", folder, "--data", "no.txt"])).toMatchObject({
    code: 1,
    stderr: expect.stringMatching(/: a folder is no model of this command: expected a file: \.onnx, /),
  });
});

test("by ids, with other weights, to 4 bits, told to programs", async () => {
  const ids = join(folder, "ids.npy");
  const weights = join(folder, "outliers.safetensors");
  const { code, stdout } = await quantize(
    "--bits",
    "4",
    "--weights",
    weights,
    "--calibrate",
    ids,
    "--eval",
    ids,
    "--json",
  );
  expect(code).toBe(0);
  const { bytes, contentHash, summary } = JSON.parse(stdout);
  expect(bytes).toBeGreaterThan(1000);
  expect(contentHash).toMatch(/^[0-9a-f]{64}$/);
  expect(summary.foldedBy).toBe(0.5);
  expect(summary.agreement.tokens).toBe(5 * 255);
});

test.each([
  [["--bits", "6"], "--bits of a language model must be 8 or 4, got 6"],
  [["--large"], "--large is of --bits 4"],
  [["--bits", "4", "--naive"], "--naive is of --bits 8"],
  [["--normalize", "1/255,0,1"], "--normalize does not apply to"],
])("%j is refused", async (args, message) => {
  const { code, stderr } = await quantize(...args);
  expect(code).toBe(2);
  expect(stderr).toContain(message);
});

test.each([
  ["--calibrate", "none.txt", "none.txt: cannot be read: ENOENT: no such file or directory. Check the path"],
  ["--calibrate", "latin1.txt", "latin1.txt: is not text in UTF-8"],
  ["--eval", "numbers.npy", "numbers.npy: tokens are whole numbers: got f32"],
])("%s %s is refused, as by octette perplexity", async (option, name, message) => {
  const file = join(folder, name);
  if (name === "latin1.txt") await writeFile(file, Uint8Array.of(0x63, 0x61, 0x66, 0xe9));
  const data = Float32Array.of(1.5, 2);
  if (name === "numbers.npy") await writeFile(file, writeNpy({ dtype: "f32", shape: [2], data }));
  const { code, stderr } = await quantize(option, file);
  expect([code, stderr]).toEqual([1, expect.stringContaining(message)]);
  const how = name.endsWith(".npy") ? "--ids" : "--text";
  const other = await octette(["perplexity", model, how, file]);
  expect([other.code, other.stderr]).toEqual([1, expect.stringContaining(message)]);
});

test("what is of language models is refused for others", async () => {
  const model = join(folder, "x.onnx");
  await writeFile(model, "");
  const { code, stderr } = await octette(["quantize", model, "--large", "-o", join(folder, "x.octette")]);
  expect(code).toBe(2);
  expect(stderr).toContain(`--large does not apply to ${model}`);
});

test.skipIf(!tinyNames.includes("bert"))("an encoder: the report is of cosine similarity", async () => {
  const output = join(folder, "encoder.octette");
  const lines = join(folder, "lines.txt");
  await writeFile(lines, "one text\n\nanother one\n");
  const args = ["quantize", tinyPath("bert"), "-o", output];
  const { code, stdout } = await octette([...args, "--eval", lines]);
  expect(code).toBe(0);
  expect(stdout).toMatch(/cosine similarity to the float model: mean 0\.99\d+, least 0\.99\d+, of 2 texts/);
  const four = await octette([...args, "--bits", "4"]);
  expect(four.code).toBe(1);
  expect(four.stderr).toContain("an encoder of 4 bits");
});
