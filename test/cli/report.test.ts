// --report: one page, which loads nothing, with what the command measured; and the tables that show what needs attention first.

import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { memoryMap } from "../../src/cli/memory-map";
import { reportPage } from "../../src/cli/report-page";
import { seenRange } from "../../src/cli/seen-range";
import {
  type ChosenRange,
  type Graph,
  type Histogram,
  importOnnx,
  loadSync,
  save,
  tensor,
  writeNpz,
} from "../../src/index";
import { readExample } from "../examples";
import { GraphBuilder } from "../graph-builder";
import { example, octette } from "./spawn";

const folder = mkdtempSync(join(tmpdir(), "octette-report-"));
afterAll(() => rmSync(folder, { recursive: true }));
const at = (name: string) => join(folder, name);
const float = example("digits_wild.onnx");
const normalize = ["--normalize", "1/16,0,1"];

let quantized: string;
beforeAll(async () => {
  const calibration = ["--calibrate", example("train.npz"), "--samples", "64", ...normalize];
  const { code, stdout } = await octette([
    ...["quantize", float, "-o", at("m.octette"), ...calibration, "--bits", "3", "--skip", "/fc/Gemm"],
    ...["--report", at("quantize.html")],
  ]);
  expect(code).toBe(0);
  quantized = stdout;
});

/** What a page may have: no script and nothing from elsewhere. */
function expectAlone(page: string): void {
  expect(page).toMatch(/^<!doctype html>/);
  expect(page).not.toMatch(/<script|<link|<img|src=|@import|url\(|https?:/);
  expect(page).toContain("prefers-color-scheme:dark");
}

describe("quantize", () => {
  test("lists what stays float, and no more", () => {
    const table = quantized.split("\n\n")[0]!.split("\n");
    expect(table[0]).toMatch(/^stays float +op +becomes +range or reason$/);
    expect(table.slice(2)).toEqual([expect.stringMatching(/^\/fc\/Gemm +Linear +float +skipped by/)]);
  });

  test("says what was left out, and why, in full", () => {
    const list = quantized.split("\n\n")[1]!.split("\n");
    expect(list[0]).toBe("left out");
    for (const line of list.slice(1)) expect(line).toMatch(/^equalization {2}\/\S+: [^…]+$/);
    expect(list.length).toBeGreaterThan(2);
  });

  test("draws each range, the noise of each layer and where memory lies", () => {
    const page = readFileSync(at("quantize.html"), "utf8");
    expectAlone(page);
    const { length } = page.match(/<figure>/g)!;
    expect(length).toBeGreaterThan(12);
    expect(page.match(/class="clip"/g)).toHaveLength(2 * length);
    expect(page).toMatch(/<b>\/stem\/stem\.0\/Conv<\/b>.*? \((minmax|mse|percentile)\); seen 0 to/);
    expect(page).toContain("Memory over steps");
    expect(page.match(/<rect [^>]*><title>/g)!.length).toBeGreaterThan(10);
    expect(page).toContain(`output on calibration samples of ${example("train.npz")}`);
    expect(page.match(/[\d.]+ dB<\/b>/g)!.length).toBeGreaterThan(10);
  });

  test("refuses a page of another name before it works", async () => {
    const args = ["quantize", float, "-o", at("n.octette"), "--mode", "dynamic", "--report", "r.pdf"];
    expect(await octette(args)).toMatchObject({
      code: 2,
      stderr: expect.stringMatching(/FILE must end in \.html, got "r\.pdf"/),
    });
  });
});

describe("eval", () => {
  test("shows the noisiest layers first, what to do, and the worst classes", async () => {
    const args = ["eval", at("m.octette"), "--data", example("test.npz"), "--against", float, "--layers"];
    const { stdout } = await octette([...args, "--report", at("eval.html")]);
    const json = JSON.parse((await octette([...args, "--json"])).stdout);
    const layers = /noisiest layers .*\n─+\n((?:.+\n)+)/.exec(stdout)![1]!;
    const noise = [...layers.matchAll(/([\d.]+) dB$/gm)].map(([, db]) => Number(db));
    expect(noise).toEqual(noise.toSorted((a, b) => a - b));
    expect(noise.length).toBe(12);
    expect(stdout).toMatch(/^… and \d+ with less noise \(--all shows them\)$/m);
    const [worst] = json.layers.toSorted(
      (a: { sqnrDb: number }, b: { sqnrDb: number }) => a.sqnrDb - b.sqnrDb,
    );
    expect(stdout.replaceAll("\n", " ")).toContain(
      `Noisiest: ${worst.node}. Quantize with --skip "${worst.node}"`,
    );
    const { byClass, confusions, top1, n } = json;
    const sum = (of: readonly { n: number }[]) => of.reduce((total, one) => total + one.n, 0);
    expect(sum(byClass)).toBe(n);
    expect(sum(confusions)).toBe(Math.round((n * (100 - top1)) / 100));
    const page = readFileSync(at("eval.html"), "utf8");
    expectAlone(page);
    for (const part of ["Accuracy", "Noise of layers", "Classes", "Memory over steps"])
      expect(page).toContain(`<h2>${part}</h2>`);
    expect(page).toContain(worst.node);
    expect(page.match(/<th scope="col">/g)).toHaveLength(10);
  });

  test("tells the errors of a model with one number", async () => {
    const b = new GraphBuilder(1);
    const x = b.input("x", ["batch", 1]);
    b.node("Relu", [x], "y", {});
    writeFileSync(at("one.octette"), save(b.build("y")));
    writeFileSync(
      at("fraction.npz"),
      writeNpz({ image: tensor("u8", [1, 64], new Array(64).fill(1)), labels: tensor("f32", [1], [0.5]) }),
    );
    writeFileSync(at("one.csv"), "x,label\n1,2\n3,3\n-4,0\n6,3\n");
    const { stdout } = await octette(["eval", at("one.octette"), "--data", at("one.csv"), "--json"]);
    // Errors −1, 0, 0, 3.
    expect(JSON.parse(stdout)).toEqual({ n: 4, meanSquaredError: 2.5, meanAbsoluteError: 1 });
    const text = await octette(["eval", at("one.octette"), "--data", at("one.csv")]);
    expect(text.stdout).toMatch(
      /^model +mean squared error +mean absolute error +samples\n─+\n.* 2\.500 +1\.000 +4\n$/,
    );
    // Errors −0.5, 1, 0.25, 0.
    writeFileSync(at("fraction.csv"), "x,target\n1,1.5\n3,2\n-4,-0.25\n6,6\n");
    const fractions = await octette(["eval", at("one.octette"), "--data", at("fraction.csv"), "--json"]);
    expect(JSON.parse(fractions.stdout)).toEqual({
      n: 4,
      meanSquaredError: (0.25 + 1 + 0.0625) / 4,
      meanAbsoluteError: 1.75 / 4,
    });
    expect(fractions.stderr).toContain("labels are not all whole, so they are numbers to find");
    const tuned = await octette([
      "tune",
      at("one.octette"),
      "--data",
      at("fraction.csv"),
      "-o",
      at("t.octette"),
    ]);
    expect(tuned).toMatchObject({
      code: 1,
      stderr: expect.stringContaining("got 4 samples with numbers that are no classes"),
    });
    const classes = await octette(["eval", float, "--data", at("fraction.npz"), ...normalize]);
    expect(classes).toMatchObject({
      code: 1,
      stderr: expect.stringContaining("a label is outside the classes: expected 0 … 9, got 0.5"),
    });
  });
});

test("eval names a model that does not take the same inputs", async () => {
  const b = new GraphBuilder(1);
  writeFileSync(at("other.octette"), save(b.build(b.node("Relu", [b.input("x", ["batch", 3])], "y", {}))));
  const args = ["eval", float, "--data", example("test.npz"), "--against", at("other.octette")];
  expect(await octette(args)).toMatchObject({
    code: 1,
    stderr: expect.stringMatching(
      /other\.octette: has other inputs: expected "image" f32 \[batch, 1, 8, 8\], got "x" f32 \[batch, 3\]\./,
    ),
  });
});

test("names in a page are text, whatever they are", () => {
  const evil = '</style><script>alert("1")</script>';
  const page = reportPage({
    title: evil,
    facts: [[evil, evil]],
    evaluation: {
      n: 1,
      top1: 0,
      byClass: [{ label: 0, n: 1, top1: 0 }],
      confusions: [{ label: 0, chosen: 1, n: 1 }],
    },
    names: [evil],
    classes: [evil, evil],
  });
  expectAlone(page);
  expect(page).toContain("&lt;script&gt;");
});

test("a histogram keeps every number, and zeros where they lie", () => {
  const histogram: Histogram = {
    counts: Float64Array.of(5, 0, 7, 1),
    single: new Float32Array(4),
    first: -2,
    width: 1,
    zeros: 11,
    min: -2,
    max: 2,
  };
  const range: ChosenRange = { lo: -1, hi: 2, method: "mse", error: 0 };
  const { counts, ...rest } = seenRange("x", range, histogram);
  expect(rest).toEqual({ value: "x", lo: -1, hi: 2, method: "mse", min: -2, max: 2 });
  expect(counts.reduce((sum, n) => sum + n, 0)).toBe(24);
  expect(counts[32]).toBe(11);
  expect(counts.indexOf(5)).toBe(8);
});

describe("the map of memory", () => {
  const mapOf = (graph: Graph, options = {}) => {
    using model = loadSync(graph, options);
    return { map: memoryMap(model), memory: model.plan.memory };
  };

  test("has a buffer from the step that writes to it to the last that needs it", () => {
    const b = new GraphBuilder(1);
    const x = b.input("x", [1, 100]);
    const y = b.node("Sigmoid", [x], "y", {});
    const z = b.node("Tanh", [y], "z", {});
    b.node("Add", [y, z], "sum", {});
    const { map } = mapOf(b.build("sum"));
    expect(map!.steps).toHaveLength(3);
    const lives = map!.blocks.map(({ name, bytes, first, last }) => [name, bytes, first, last]);
    // Sigmoid and Add write over an input that nothing reads later.
    expect(lives).toEqual([
      ["x", 400, -1, 2],
      [map!.steps[1], 400, 1, 2],
    ]);
  });

  test.each([
    "digits.onnx",
    "digits_wild.onnx",
  ])("of %s is that of the plan, without overlaps", async (name) => {
    const { map, memory } = mapOf(importOnnx(await readExample(name)));
    const { blocks, arenaBytes } = map!;
    expect(arenaBytes).toBe(memory.arenaBytes);
    for (const [i, a] of blocks.entries()) {
      expect(a.at + a.bytes).toBeLessThanOrEqual(arenaBytes);
      for (const b of blocks.slice(0, i)) {
        const together = a.first <= b.last && b.first <= a.last;
        expect(together && a.at < b.at + b.bytes && b.at < a.at + a.bytes).toBe(false);
      }
    }
  });
});
