// A command never replaces a file that it reads, under any name, without --force. It follows links.

import { copyFile, link, lstat, mkdir, mkdtemp, readFile, rm, symlink, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { loadCommands } from "../../src/cli/commands";
import { writeNpy } from "../../src/formats/npy";
import { createDelta, importOnnx, save, tensor } from "../../src/index";
import { example, octette } from "./spawn";

let folder: string;
const file = (name: string) => join(folder, name);

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "octette-inputs-"));
  await copyFile(example("digits.onnx"), file("m.onnx"));
  await copyFile(example("test.npz"), file("d.npz"));
  await copyFile(example("test.npz"), file("t.npz.checkpoint"));
  await copyFile(example("test.npz"), file("u.npz.checkpoint.previous"));
  const graph = importOnnx(await readFile(file("m.onnx")), { name: "m" });
  const constants = new Map(graph.constants);
  const [name, weights] = [...constants].find(([, { shape }]) => shape.length === 4)!;
  constants.set(name, { ...weights, data: weights.data.map((w) => w * 1.01) });
  const [base, tuned] = [save(graph), save({ ...graph, constants })];
  await writeFile(file("base.octette"), base);
  await writeFile(file("tuned.octette"), tuned);
  await writeFile(file("c.delta"), createDelta(base, tuned));
  await mkdir(file("out"));
  const image = tensor("f32", [1, 1, 8, 8], new Float32Array(64));
  for (const { name } of [...graph.outputs.map((name) => ({ name })), { name: "x" }])
    await writeFile(file(`out/${name}.npy`), writeNpy(image));
  output = `out/${graph.outputs[0]}.npy`;
  input = graph.inputs[0]!.name;
  await symlink(file("m.onnx"), file("soft"));
  await link(file("m.onnx"), file("hard"));
  for (const folder of ["photos", "photos/cat", "text"]) await mkdir(file(folder));
  for (const name of ["photos/cat/1.png", "photos/q.octette", "text/config.json"])
    await writeFile(file(name), "kept");
  await link(file("photos/cat/1.png"), file("photo.png"));
  await mkdir(file("page"));
  await copyFile(file("base.octette"), file("page/base.octette"));
});
afterAll(() => rm(folder, { recursive: true }));
let [output, input] = ["", ""];

const quantize =
  (out: string, data = "d.npz") =>
  () => ["quantize", file("m.onnx"), "--calibrate", file(data), "-o", file(out)];
const tune =
  (out: string, ...more: string[]) =>
  () => {
    const paths = more.map((word) => (word.startsWith("-") ? word : file(word)));
    return ["tune", file("m.onnx"), "--data", file("d.npz"), "-o", file(out), ...paths];
  };

describe("refused, and left as it was", () => {
  const cases: [string, () => string, () => string[]][] = [
    ["quantize: the model", () => "m.onnx", quantize("m.onnx")],
    ["quantize: the data", () => "d.npz", quantize("d.npz")],
    ["quantize: the model by a symbolic link", () => "m.onnx", quantize("soft")],
    ["quantize: the model by a hard link", () => "m.onnx", quantize("hard")],
    ["quantize: the model by another path", () => "m.onnx", quantize("out/../m.onnx")],
    ["quantize: a sample", () => "photos/cat/1.png", quantize("photos/cat/1.png", "photos")],
    ["quantize: a sample by a hard link", () => "photos/cat/1.png", quantize("photo.png", "photos")],
    [
      "quantize: a file of a language model",
      () => "text/config.json",
      () => ["quantize", file("text"), "-o", file("text/config.json")],
    ],
    ["tune: the model", () => "m.onnx", tune("m.onnx")],
    ["tune: the data", () => "d.npz", tune("d.npz")],
    ["tune: the test data", () => "out/x.npy", tune("out/x.npy", "--eval", "out/x.npy")],
    ["tune: validation data", () => "out/x.npy", tune("out/x.npy", "--validation", "out/x.npy")],
    ["tune: the teacher", () => "base.octette", tune("base.octette", "--teacher", "base.octette")],
    ["tune: the base of the delta", () => "base.octette", tune("base.octette", "--delta", "base.octette")],
    [
      "tune: data where its checkpoint goes",
      () => "t.npz.checkpoint",
      tune("t.npz", "--eval", "t.npz.checkpoint"),
    ],
    [
      "tune: data where its last checkpoint goes",
      () => "u.npz.checkpoint.previous",
      tune("u.npz", "--eval", "u.npz.checkpoint.previous"),
    ],
    [
      "delta: the base",
      () => "base.octette",
      () => ["delta", file("base.octette"), file("tuned.octette"), "-o", file("base.octette")],
    ],
    [
      "delta: the tuned model",
      () => "tuned.octette",
      () => ["delta", file("base.octette"), file("tuned.octette"), "-o", file("tuned.octette")],
    ],
    [
      "apply: the base",
      () => "base.octette",
      () => ["apply", file("base.octette"), file("c.delta"), "-o", file("base.octette")],
    ],
    [
      "apply: the delta",
      () => "c.delta",
      () => ["apply", file("base.octette"), file("c.delta"), "-o", file("c.delta")],
    ],
    [
      "run: an array that lies in its folder",
      () => output,
      () => ["run", file("m.onnx"), "--input", `${input}=${file(output)}`, "-o", file("out")],
    ],
  ];
  test.each(cases)("%s", async (_, kept, args) => {
    const before = await readFile(file(kept()));
    const { code, stdout, stderr } = await octette(args());
    expect([code, stdout]).toEqual([1, ""]);
    expect(stderr).toMatch(/would replace a file that is read.*--force\n$/);
    expect(await readFile(file(kept()))).toEqual(before);
  });
});

describe("--force writes it", () => {
  test("apply over its base", async () => {
    await copyFile(file("base.octette"), file("own.octette"));
    const { code } = await octette([
      "apply",
      file("own.octette"),
      file("c.delta"),
      "-o",
      file("own.octette"),
      "--force",
    ]);
    expect(code).toBe(0);
    expect(await readFile(file("own.octette"))).toEqual(await readFile(file("tuned.octette")));
  });

  test("bundle into the model's own folder", async () => {
    const args = ["bundle", file("page/base.octette"), "-o", file("page")];
    expect((await octette(args)).code).toBe(1);
    expect((await octette([...args, "--force"])).code).toBe(0);
    expect(await readFile(file("page/base.octette"))).toEqual(await readFile(file("base.octette")));
  });
});

test("what a folder is not read for may be written there again", async () => {
  const { stderr } = await octette(quantize("photos/q.octette", "photos")());
  expect(stderr).not.toMatch(/would replace/);
});

test("another file is written as ever, through a link to where that points", async () => {
  await symlink(file("real.delta"), file("link.delta"));
  const args = ["delta", file("base.octette"), file("tuned.octette"), "-o", file("link.delta")];
  for (const expected of [await readFile(file("c.delta")), await readFile(file("c.delta"))]) {
    expect((await octette(args)).code).toBe(0);
    expect(await readFile(file("real.delta"))).toEqual(expected);
    expect((await lstat(file("link.delta"))).isSymbolicLink()).toBe(true);
  }
});

/** Options that name a file to write. */
const WRITTEN = ["output", "report", "graph"];

test("every option that names a file to read says so", async () => {
  const silent = (await loadCommands()).flatMap(({ name, options }) =>
    Object.entries(options)
      .filter(
        ([option, { value = "", reads }]) =>
          /DATA|MODEL|FILE|BASE|WHERE/.test(value) && !WRITTEN.includes(option) && !reads,
      )
      .map(([option]) => `${name} --${option}`),
  );
  expect(silent).toEqual([]);
});
