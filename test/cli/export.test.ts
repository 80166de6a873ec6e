// octette export: models become ONNX files, whole, never over an input; language models are refused.

import { copyFile, mkdtemp, readdir, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { importOnnx, readArtifact } from "../../src/index";
import { structureOf } from "../same-graph";
import { example, octette } from "./spawn";

let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "octette-export-"));
});
afterAll(() => rm(folder, { recursive: true }));

test("an artifact becomes the ONNX model of its graph, and says which inputs are normalized", async () => {
  const artifact = join(folder, "digits.octette");
  const quantized = ["quantize", example("digits.onnx"), "-o", artifact, "--calibrate", example("train.npz")];
  await octette([...quantized, "--samples", "64", "--normalize", "1/16,0,1"]);
  const output = join(folder, "digits-int8.onnx");
  const { code, stdout, stderr } = await octette(["export", artifact, "-o", output, "--json"]);
  const bytes = await readFile(output);
  expect([code, JSON.parse(stdout)]).toEqual([
    0,
    { model: artifact, output, bytes: { from: expect.any(Number), to: bytes.length }, normalized: ["image"] },
  ]);
  expect(stderr).toContain("takes normalized numbers for image: (number · scale − mean) / std");
  const { graph } = readArtifact(await readFile(artifact));
  expect(structureOf(importOnnx(bytes))).toEqual(structureOf(graph));
});

test("an input is replaced with --force only", async () => {
  const model = join(folder, "model.onnx");
  await copyFile(example("digits.onnx"), model);
  const before = await readFile(model);
  const refused = await octette(["export", model, "-o", model]);
  expect([refused.code, await readFile(model)]).toEqual([1, before]);
  expect(refused.stderr).toContain("would replace a file that is read");
  expect((await octette(["export", model, "-o", model, "--force"])).code).toBe(0);
  expect(structureOf(importOnnx(await readFile(model)))).toEqual(structureOf(importOnnx(before)));
});

test("a language model is refused", async () => {
  const output = join(folder, "language.onnx");
  const { code, stderr } = await octette(["export", folder, "-o", output]);
  expect(code).toBe(1);
  expect(stderr).toContain(`${folder}: language models cannot be exported`);
  expect(await readdir(folder)).not.toContain("language.onnx");
});
