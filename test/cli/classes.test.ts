// --classes: names from a file or the command line, and what inspect shows of them.

import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { readArtifact } from "../../src/index";
import { example, octette } from "./spawn";

const names = "zero,one,two,three,four,five,six,seven,eight,nine";
let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "octette-classes-"));
});
afterAll(() => rm(folder, { recursive: true }));

const quantize = (output: string, classes: string) =>
  octette([
    ...["quantize", example("digits.onnx"), "--calibrate", example("train.npz"), "--samples", "64"],
    ...["--normalize", "1/16,0,1", "--classes", classes, "-o", output],
  ]);

test("names joined by commas and names in a file make the same artifact, which inspect shows", async () => {
  const [list, lines, output] = ["a", "b", "names.txt"].map((name) => join(folder, name)) as [
    string,
    string,
    string,
  ];
  await writeFile(output, `${names.replaceAll(",", "\r\n")}\r\n`);
  expect((await quantize(list, names)).code).toBe(0);
  expect((await quantize(lines, output)).code).toBe(0);
  expect(await readFile(lines)).toEqual(await readFile(list));
  expect(readArtifact(await readFile(list)).graph.classes).toEqual(names.split(","));
  const { stdout } = await octette(["inspect", list]);
  expect(stdout).toContain("10: zero, one, two, three, four, five, six, seven, eight, nine");
});

test("a file that is not there, and names that do not fit, end before any work", async () => {
  const missing = await quantize(join(folder, "c"), join(folder, "nowhere.txt"));
  expect([missing.code, missing.stderr]).toEqual([1, expect.stringContaining("there is no such file")]);
  const few = await quantize(join(folder, "c"), "zero,one");
  expect(few.stderr).toContain('classes: do not fit output "logits"');
});
