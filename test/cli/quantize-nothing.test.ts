// octette quantize where it would not do what it was asked to: refused before anything is written, but with --force.

import { mkdtemp, readdir, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { writeNpy } from "../../src/formats/npy";
import { save, tensor } from "../../src/index";
import { Linear, ReLU, Sequential, trace } from "../../src/nn/index";
import { example, octette } from "./spawn";

let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "octette-nothing-"));
  const tiny = trace(new Sequential(new Linear(6, 16), new ReLU(), new Linear(16, 3)));
  await writeFile(join(folder, "tiny.octette"), save(tiny));
  const x = tensor(
    "f32",
    [64, 6],
    Float32Array.from({ length: 384 }, (_, i) => Math.sin(i)),
  );
  await writeFile(join(folder, "x.npy"), writeNpy(x));
});
afterAll(() => rm(folder, { recursive: true }));

test("a model that is not there is told, whatever options are missing", async () => {
  const missing = join(folder, "NO_SUCH_FOLDER");
  const { code, stderr } = await octette(["quantize", missing, "-o", join(folder, "out.octette")]);
  expect(code).toBe(1);
  expect(stderr).toContain(`${missing}: there is no such file or folder: expected a model in ONNX`);
  expect(stderr).toContain(`Check the path, which is read from ${process.cwd()}`);
});

test.each([
  ["an operator in other letters", ["--only", "conv"], /only: matches nothing.*Did you mean Conv\?/],
  ["a node that is not there", ["--skip", "nosuch"], /skip: matches nothing/],
  ["all nodes left out", ["--skip", "*"], /no layer becomes int8/],
  ["a model that int8 makes larger", [], /the int8 model is not smaller: expected fewer than the .*kB/],
])("%s", async (_, more, message) => {
  const [model, data, ...normalize] =
    more.length === 0
      ? [join(folder, "tiny.octette"), join(folder, "x.npy")]
      : [example("digits.onnx"), example("test.npz"), "--normalize", "1/16,0,1"];
  const output = join(folder, "out.octette");
  const args = ["quantize", model, "--calibrate", data, "-o", output, ...normalize, ...more];
  const refused = await octette(args);
  expect([refused.code, refused.stdout]).toEqual([1, ""]);
  expect(refused.stderr).toMatch(message);
  expect(refused.stderr).toContain("--force");
  expect(await readdir(folder)).not.toContain("out.octette");
  const { code, stderr } = await octette([...args, "--force"]);
  expect(code).toBe(0);
  if (more.length > 0) expect(stderr).toMatch(/warning: .*(matches nothing|becomes int8)/);
  expect(await readdir(folder)).toContain("out.octette");
  await rm(output);
});
