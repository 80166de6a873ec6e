// Wrong usage, help and failures: exit codes and what people read.

import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { nearest } from "../../src/options";
import { example, octette } from "./spawn";

let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "octette-usage-"));
});
afterAll(() => rm(folder, { recursive: true }));

describe("help", () => {
  test("of the tool lists every command", async () => {
    const { code, stdout, stderr } = await octette(["--help"]);
    expect([code, stderr]).toEqual([0, ""]);
    for (const command of [
      "quantize",
      "tune",
      "eval",
      "run",
      "inspect",
      "bench",
      "footprint",
      "bundle",
      "delta",
      "apply",
    ])
      expect(stdout).toContain(`  ${command} `);
    for (const line of stdout.split("\n")) expect(line.length).toBeLessThanOrEqual(80);
  });

  test.each([
    "quantize",
    "tune",
    "eval",
    "run",
    "inspect",
    "bench",
    "footprint",
    "bundle",
    "delta",
    "apply",
  ])("of %s has an example and the usual options", async (command) => {
    const { code, stdout, stderr } = await octette([command, "--help"]);
    expect([code, stderr]).toEqual([0, ""]);
    expect(stdout).toMatch(/Examples?:\n {2}octette /);
    expect(stdout).toContain("--json");
    expect(stdout).toContain("--help");
    for (const line of stdout.split("\n")) expect(line.length).toBeLessThanOrEqual(80);
  });

  test("--version is the package's", async () => {
    const { version } = JSON.parse(await readFile(new URL("../../package.json", import.meta.url), "utf8"));
    expect(await octette(["--version"])).toEqual({ code: 0, stdout: `${version}\n`, stderr: "" });
  });
});

describe("wrong usage exits with 2 and says what to do", () => {
  const digits = example("digits.onnx");
  test.each([
    ["no command", [], /no command given/],
    ["an unknown command", ["quantise"], /unknown command "quantise"; did you mean quantize/],
    [
      "an unknown option",
      ["eval", digits, "--agains", "x"],
      /unknown option --agains; did you mean --against\?/,
    ],
    ["a missing argument", ["inspect"], /MODEL is missing.*octette inspect --help/],
    ["one argument too many", ["inspect", digits, "b"], /unexpected argument "b"/],
    ["an option without its value", ["eval", digits, "--data"], /--data/],
    [
      "a value below zero",
      ["eval", digits, "--samples", "-3"],
      /--samples is followed by another option.*--samples=VALUE/,
    ],
    ["no output", ["quantize", digits], /-o FILE is missing/],
    ["static without data", ["quantize", digits, "-o", "o.octette"], /--calibrate DATA, or --mode dynamic/],
    [
      "a mode there is not",
      ["quantize", digits, "-o", "o", "--mode", "fast"],
      /--mode must be one of static, dynamic, got "fast"/,
    ],
    [
      "a range there is not",
      ["quantize", digits, "-o", "o", "--range", "x"],
      /auto, minmax, percentile, mse/,
    ],
    [
      "a range for naive",
      ["quantize", digits, "-o", "o", "--calibrate", "d", "--naive", "--range", "mse"],
      /leave --range out/,
    ],
    [
      "bits that weights do not have",
      ["quantize", digits, "-o", "o", "--bits", "1"],
      /--bits must be one of 2, 3, .*8, got "1"/,
    ],
    ["no number", ["quantize", digits, "-o", "o", "--samples", "many"], /--samples must be a whole number/],
    [
      "normalize that cannot be read",
      ["eval", digits, "--data", "d", "--normalize", "1"],
      /--normalize.*scale,mean,std/,
    ],
    ["eval without data", ["eval", digits], /--data DATA is missing/],
    ["layers against nothing", ["eval", digits, "--data", "d", "--layers"], /--layers needs --against/],
    [
      "a limit that is no size",
      ["footprint", digits, "--max-bytes", "many"],
      /--max-bytes must be a size such as 64MB/,
    ],
    ["no batch", ["bench", digits, "--batch", "0"], /--batch must be a whole number from 1, got "0"/],
    ["run without input", ["run", digits, "--output", "o"], /--input NAME=FILE is missing/],
    [
      "an input without a file",
      ["run", digits, "--output", "o", "--input", "image"],
      /NAME=FILE, got "image"/,
    ],
    [
      "no thread",
      ["run", digits, "--output", "o", "--input", "image=i.npy", "--threads", "0"],
      /--threads must be a whole number from 1/,
    ],
  ] as const)("%s", async (_, args, message) => {
    const { code, stdout, stderr } = await octette(args);
    expect(stderr).toMatch(message);
    expect(stdout).toBe("");
    expect(code).toBe(2);
  });
});

describe("failure exits with 1 and one line", () => {
  test.each([
    [
      "unknown model",
      ["inspect", "nowhere.onnx"],
      /^octette: nowhere.onnx: cannot be read: ENOENT: no such file or directory. Check the path\n$/,
    ],
    [
      "no such data",
      ["eval", example("digits.onnx"), "--data", "nowhere.npz"],
      /^octette: nowhere.npz: cannot be read: ENOENT: no such file or directory. Check the path\n$/,
    ],
    [
      "bytes without normalize",
      ["eval", example("digits.onnx"), "--data", example("test.npz")],
      /test.npz, array "image".*expected f32, got u8.*normalize.*\n$/,
    ],
    [
      "a folder that is not there",
      ["quantize", example("digits.onnx"), "--mode", "dynamic", "-o", "/nowhere/o.octette"],
      /\/nowhere\/o.octette: cannot be written: no such folder/,
    ],
  ] as const)("%s", async (_, args, message) => {
    const { code, stdout, stderr } = await octette(args);
    expect(stderr).toMatch(message);
    expect(stderr.trimEnd().split("\n")).toHaveLength(1);
    expect([code, stdout]).toEqual([1, ""]);
  });

  test("a damaged model, with the stack on request", async () => {
    const path = join(folder, "damaged.onnx");
    await writeFile(path, (await readFile(example("digits.onnx"))).subarray(0, 5000));
    const plain = await octette(["inspect", path, "--json"]);
    expect(plain).toMatchObject({ code: 1, stdout: "" });
    expect(plain.stderr).toContain(path);
    expect(plain.stderr.trimEnd().split("\n")).toHaveLength(1);
    const debug = await octette(["inspect", path], { env: { OCTETTE_DEBUG: "1" } });
    expect(debug.stderr).toMatch(/FormatError[\s\S]*\n\s+at /);
  });
});

test("nearest finds mistyped words and nothing for others", () => {
  const known = ["calibrate", "samples", "normalize"];
  expect(["calibrat", "sample", "normalise", "calib"].map((w) => nearest(w, known))).toEqual([
    "calibrate",
    "samples",
    "normalize",
    "calibrate",
  ]);
  expect(nearest("zebra", known)).toBeUndefined();
});
