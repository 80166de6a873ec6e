// An artifact that is written tensor by tensor has the bytes of one that is written at once.

import { mkdtemp, readdir, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, test } from "vitest";
import { writeFileWhole } from "../../src/files/write-file";
import { readArtifact, writeArtifact } from "../../src/formats/octette";
import { appendArtifact } from "../../src/formats/write-artifact";
import type { Graph } from "../../src/graph/graph";
import { type Constant, type Tensor, tensor } from "../../src/graph/tensor";
import { networkGraph } from "../check-model";
import { GraphBuilder } from "../graph-builder";

/** The graph without elements, and what reads them, one at a time. */
function apart(graph: Graph) {
  const constants = new Map<string, Constant>(
    [...graph.constants].map(([name, { dtype, shape }]) => [name, { dtype, shape }]),
  );
  const calls: string[] = [];
  const read = async (name: string): Promise<Tensor> => {
    calls.push(name);
    return graph.constants.get(name)!;
  };
  return { graph: { ...graph, constants } as Graph<Constant>, read, calls };
}

/** Codes of every width, numbers, and names that sort in other ways than they are added. */
function mixed(): Graph {
  const builder = new GraphBuilder();
  let x = builder.input("x", ["batch", 2]);
  for (const [name, value] of [
    ["z", tensor("f32", [2], [1, 2])],
    ["a", tensor("f32", [], [0.5])],
    ["m", tensor("f32", [1], [-0])],
  ] as const)
    x = builder.node("Add", [x, builder.constant(name, value)], `with ${name}`);
  const others = [
    builder.constant("wide", tensor("i8", [2, 3], [1, 2, 3, -128, 5, 6])),
    builder.constant("four", tensor("i8", [3, 3], [1, 2, 3, -8, 5, 6, 7, 0, -1])),
    builder.constant("bytes", tensor("u8", [2, 2], [1, 2, 3, 255])),
    builder.constant("none", tensor("i32", [0, 3], [])),
  ].map((name) => builder.node("Identity", [name], `${name} as it is`));
  return builder.build(x, ...others);
}

test.each([
  ["a network of codes", networkGraph()],
  ["a float network", networkGraph({ quantized: false })],
  ["tensors of all kinds", mixed()],
])("%s", async (_, graph) => {
  const selfTest = { seed: 1, hash: "0".repeat(64) };
  const text = JSON.stringify({ tokenizer: { model: { vocab: { 'a"b': 0, é: 1 } } } });
  const whole = writeArtifact(graph, { selfTest, text });
  const { graph: bare, read, calls } = apart(graph);
  const parts: Uint8Array[] = [];
  const made = await appendArtifact(bare, read, async (bytes) => void parts.push(bytes.slice()), {
    selfTest,
    text,
  });
  expect(Buffer.concat(parts).equals(whole)).toBe(true);
  expect(made.bytes).toBe(whole.length);
  const artifact = readArtifact(whole);
  expect(made.contentHash).toBe(artifact.contentHash);
  expect(artifact.text).toBe(text);
  for (const name of graph.constants.keys())
    expect(calls.filter((call) => call === name).length).toBeLessThanOrEqual(2);
});

test("a file that is appended to is whole or not there", async () => {
  const folder = await mkdtemp(join(tmpdir(), "octette-append-"));
  const path = join(folder, "a.octette");
  const { graph, read } = apart(networkGraph());
  let left = 3;
  const failing = async (name: string) => {
    if (left-- > 0) return read(name);
    throw new Error("the disk is gone");
  };
  await expect(
    writeFileWhole(path, async (append) => void (await appendArtifact(graph, failing, append))),
  ).rejects.toThrow("the disk is gone");
  expect(await readdir(folder)).toEqual([]);
  await writeFileWhole(path, async (append) => void (await appendArtifact(graph, read, append)));
  expect(new Uint8Array(await readFile(path))).toEqual(writeArtifact(networkGraph()));
  await rm(folder, { recursive: true });
});

test("constants of another type, or that change, are told by name", async () => {
  const { graph, read } = apart(mixed());
  const ignore = async () => {};
  const other = async (name: string) =>
    name === "wide" ? tensor("i8", [6], [1, 2, 3, 4, 5, 6]) : read(name);
  await expect(appendArtifact(graph, other, ignore)).rejects.toThrow(
    'constant "wide": a constant is not of its type: expected i8 [2,3], got i8 [6]',
  );
  let calls = 0;
  const moving = async (name: string) =>
    name === "bytes" && calls++ > 0 ? tensor("u8", [2, 2], [1, 2, 3, 4]) : read(name);
  await expect(appendArtifact(graph, moving, ignore)).rejects.toThrow(/constant "bytes": a constant changed/);
});
