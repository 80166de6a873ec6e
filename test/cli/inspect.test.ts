// `octette inspect`: the table of layers, and pictures of the graph, as files that load nothing.

import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, describe, expect, test } from "vitest";
import { pictureOf } from "../../src/cli/graph-picture";
import { cutMiddle, formatCount, formatPairs, formatTable } from "../../src/cli/terminal";
import { importOnnx, save } from "../../src/index";
import { GraphBuilder } from "../graph-builder";
import { example, octette } from "./spawn";

const folder = mkdtempSync(join(tmpdir(), "octette-pictures-"));
afterAll(() => rmSync(folder, { recursive: true }));
const model = example("digits_wild.onnx");

describe("layers", () => {
  test("have their activations in them, and add up to the model", async () => {
    const facts = JSON.parse((await octette(["inspect", model, "--json"])).stdout);
    const { layers, parameters, macs } = facts;
    expect(layers[0]).toMatchObject({
      op: "Conv + Relu",
      shape: ["batch", 16, 8, 8],
      parameters: 16 * 9 + 16,
      bits: 32,
      macs: 64 * 16 * 9,
    });
    const sum = (key: string) =>
      layers.reduce((n: number, layer: Record<string, number>) => n + layer[key]!, 0);
    expect(macs).toBe(308_864);
    expect([sum("macs"), sum("parameters")]).toEqual([macs, parameters]);
    expect(sum("share")).toBeCloseTo(100);
    expect(layers.map(({ op }: { op: string }) => op)).not.toContain("Relu");
  });

  test("a text has a table of them", async () => {
    const { stdout } = await octette(["inspect", model]);
    expect(stdout).toMatch(/^layer +op +makes +params +bits +MACs +share$/m);
    expect(stdout).toMatch(/^\/fc\/Gemm +Linear +10 +650 +32 +640 +0\.2 %$/m);
  });
});

test("what normalizes an input is told whole, in the width that COLUMNS names", async () => {
  const graph = importOnnx(readFileSync(model), { name: "digits" });
  const [mean, std] = [[0.485], [0.229]];
  const inputs = graph.inputs.map((input) => ({
    ...input,
    preprocessing: { layout: "nchw", scale: 1 / 255, mean, std } as const,
  }));
  const path = join(folder, "normalized.octette");
  writeFileSync(path, save({ ...graph, inputs }));
  const { stdout, stderr } = await octette(["inspect", path], { env: { COLUMNS: "80" } });
  expect(stdout).toMatch(/^normalizes +image: bytes, not floats, by 1\/255,0\.485,0\.229$/m);
  for (const line of `${stdout}${stderr}`.split("\n")) expect([...line].length).toBeLessThanOrEqual(80);
  const unbroken = (await octette(["inspect", path])).stdout;
  expect(unbroken).toMatch(/^.{81,}$/m);
  for (const COLUMNS of ["-5", "0.5", "1", "8", "x"])
    expect((await octette(["inspect", path], { env: { COLUMNS } })).stdout).toBe(unbroken);
});

describe("pictures", () => {
  test.each(["svg", "html", "dot"])("as .%s have every node and load nothing", async (format) => {
    const path = join(folder, `model.${format}`);
    expect(await octette(["inspect", model, "--graph", path])).toMatchObject({ code: 0 });
    const text = readFileSync(path, "utf8");
    const boxes = text.match(format === "dot" ? /\[label=/g : /<rect /g)!;
    const { ops } = JSON.parse((await octette(["inspect", model, "--json"])).stdout);
    const nodes = Object.values<number>(ops).reduce((sum, n) => sum + n, 0);
    // And the input and the output.
    expect(boxes.length).toBe(nodes + 2);
    expect(text).not.toMatch(/<script|src=|href=|@import|url\(/);
  });

  test("names are text, whatever they are", () => {
    const b = new GraphBuilder(1);
    const evil = '</text><script>alert("1")</script>\u0007';
    const x = b.input("x", [1, 4]);
    b.node("Relu", [x], "y", {});
    const graph = b.build("y");
    const named = { ...graph, name: evil, nodes: graph.nodes.map((node) => ({ ...node, name: evil })) };
    for (const path of ["a.svg", "a.html"]) {
      const text = pictureOf(named, path);
      expect(text).not.toContain("<script");
      expect(text).not.toContain("\u0007");
      expect(text).toContain("&lt;script&gt;");
    }
    expect(pictureOf(named, "a.dot")).toContain('alert(\\"1\\")');
  });

  test("of other formats are refused", async () => {
    expect(await octette(["inspect", model, "--graph=model.png"])).toMatchObject({
      code: 2,
      stderr: expect.stringMatching(/--graph writes .svg, .html and .dot, got "model.png"/),
    });
  });
});

test("names are cut in the middle, so that layers differ", () => {
  expect(cutMiddle("/blocks/blocks.0/body/body.0/Conv", 20)).toBe("/blocks/bl…dy.0/Conv");
  expect(cutMiddle("short", 5)).toBe("short");
  const [, , row] = formatTable(["node"], [["/blocks/blocks.0/body/body.1/body.1.0/Conv"]], {
    width: 24,
  }).split("\n");
  expect(row).toBe("/blocks.0/body.1.0/Conv");
  const table = formatTable(
    ["node", "time"],
    [0, 1].map((i) => [`/blocks/blocks.0/body/body.${i}/body.${i}.0/Conv`, "1 µs"]),
    { width: 40 },
  );
  const rows = table.split("\n").slice(2);
  expect(new Set(rows).size).toBe(2);
  expect(Math.max(...rows.map((row) => row.length))).toBeLessThanOrEqual(40);
});

test("what pairs tell goes on below where it is longer than the terminal", () => {
  const lines = formatPairs([["engine", "one two three four five six seven"]], 20);
  expect(lines).toEqual(["engine  one two", "        three four", "        five six", "        seven"]);
});

test("counts have three digits", () => {
  expect([0, 999, 1000, 12_345, 999_499, 999_500, 4_560_000, 1.2e9].map(formatCount)).toEqual([
    "0",
    "999",
    "1.00 k",
    "12.3 k",
    "999 k",
    "1.00 M",
    "4.56 M",
    "1.20 G",
  ]);
});
