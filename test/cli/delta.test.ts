// octette delta and octette apply: a tuned model goes over the line as what it differs by.

import { mkdtemp, readdir, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { importOnnx, readArtifact, save } from "../../src/index";
import { example, octette } from "./spawn";

let folder: string;
const file = (name: string) => join(folder, name);
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "octette-delta-"));
  const graph = importOnnx(await readFile(example("digits.onnx")), { name: "digits" });
  const constants = new Map(graph.constants);
  const [name, weights] = [...constants].find(([, { shape }]) => shape.length === 4)!;
  constants.set(name, { ...weights, data: weights.data.map((w) => w * 1.01) });
  await writeFile(file("base.octette"), save(graph));
  await writeFile(file("tuned.octette"), save({ ...graph, constants }));
});
afterAll(() => rm(folder, { recursive: true }));

test("a delta is made and applied: the same bytes, and sizes as text and JSON", async () => {
  const [base, tuned, delta, out] = ["base.octette", "tuned.octette", "tuned.delta", "out.octette"].map(file);
  const made = await octette(["delta", base!, tuned!, "-o", delta!, "--json"]);
  expect([made.code, made.stderr]).toEqual([0, ""]);
  const bytes = {
    base: (await readFile(base!)).length,
    tuned: (await readFile(tuned!)).length,
    delta: (await readFile(delta!)).length,
  };
  expect(JSON.parse(made.stdout)).toEqual({ base, tuned, output: delta, bytes });
  expect(bytes.delta).toBeLessThan(bytes.tuned / 10);

  const applied = await octette(["apply", base!, delta!, "-o", out!, "--json"]);
  expect([applied.code, applied.stderr]).toEqual([0, ""]);
  expect(await readFile(out!)).toEqual(await readFile(tuned!));
  expect(JSON.parse(applied.stdout)).toEqual({
    base,
    delta,
    output: out,
    bytes: { base: bytes.base, delta: bytes.delta, output: bytes.tuned },
    contentHash: readArtifact(await readFile(tuned!)).contentHash,
  });

  const [madeText, appliedText] = [
    await octette(["delta", base!, tuned!, "-o", delta!]),
    await octette(["apply", base!, delta!, "-o", out!]),
  ];
  expect(madeText.stdout).toMatch(/^[\d.]+ k?B, \d\.\d % of [\d.]+ kB\n.*tuned\.octette → .*tuned\.delta\n$/);
  expect(appliedText.stdout).toMatch(/^[\d.]+ kB, content hash \w{64}\n.*tuned\.delta → .*out\.octette\n$/);
});

test("with --force the base may be replaced by the result", async () => {
  const [base, tuned, delta] = ["own.octette", "tuned.octette", "own.delta"].map(file);
  await writeFile(base!, await readFile(file("base.octette")));
  expect((await octette(["delta", base!, tuned!, "-o", delta!])).code).toBe(0);
  expect((await octette(["apply", base!, delta!, "-o", base!, "--force"])).code).toBe(0);
  expect(await readFile(base!)).toEqual(await readFile(tuned!));
  const again = await octette(["apply", base!, delta!, "-o", base!, "--force"]);
  expect(again.code).toBe(1);
  expect(again.stderr).toMatch(
    /own\.delta: made for another base: expected content hash \w{64}, got \w{64} of/,
  );
  expect(await readFile(base!)).toEqual(await readFile(tuned!));
});

test("wrong usage and what cannot be applied are named, and nothing is written", async () => {
  const [base, delta, out] = [file("base.octette"), file("bad.delta"), file("none.octette")];
  await writeFile(delta, "no delta");
  const wrong: [string[], number, RegExp][] = [
    [["delta", base], 2, /TUNED is missing/],
    [["delta", base, base], 2, /-o FILE is missing: where should the delta go/],
    [["apply", base, delta], 2, /-o FILE is missing: where should the model go/],
    [["apply", base, file("no.delta"), "-o", out], 1, /no\.delta: cannot be read: ENOENT: no such file/],
    [["apply", base, delta, "-o", out], 1, /bad\.delta/],
    [["apply", base, base, "-o", out], 1, /base\.octette: not an octette delta/],
    [["delta", base, example("digits.onnx"), "-o", out], 1, /digits\.onnx/],
    [["apply", base, delta, "-o", join(folder, "no", "o")], 1, /cannot be written: no such folder/],
  ];
  for (const [args, code, message] of wrong) {
    const outcome = await octette(args);
    expect(outcome.stderr).toMatch(message);
    expect([outcome.code, outcome.stdout]).toEqual([code, ""]);
  }
  expect(await readdir(folder)).not.toContain("none.octette");
});
