// Reading, simplifying, compiling and saving a file cost no more than its size allows, whatever it is made of: 1 kB not a
// second or 100 MB, 1 MB not ten seconds or 500 MB. CPU time is measured, which other work on the machine hardly changes.

import { execFile } from "node:child_process";
import { existsSync } from "node:fs";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { OctetteError } from "../../src/errors";
import { importOnnx, loadSync, save } from "../../src/index";
import { chains, foldings, type Make, parts, shapes } from "./kinds";

const kinds: Readonly<Record<string, Make>> = { ...chains, ...shapes, ...foldings, ...parts };
const build = process.env.OCTETTE_BUILD ?? fileURLToPath(new URL("../../build", import.meta.url));

/** A file of about `size` bytes, made of as many parts as that takes. */
function fileOf(make: Make, size: number): Uint8Array {
  const [few, more] = [make(16).length, make(64).length];
  const each = (more - few) / 48;
  return make(each > 0 ? Math.max(2, Math.min(size, 16 + Math.floor((size - few) / each))) : size);
}

interface Cost {
  readonly seconds: number;
  readonly megabytes: number;
  readonly error?: { readonly typed: boolean; readonly length: number; readonly message: string };
}

let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "octette-cost-"));
});
afterAll(() => rm(folder, { recursive: true, force: true }));

/** What a file costs in a process of its own. */
async function costOf(name: string, bytes: Uint8Array): Promise<Cost> {
  if (!existsSync(join(build, "index.js"))) throw new Error(`${build} is missing: run npm run build first`);
  const file = join(folder, name);
  await writeFile(file, bytes);
  const script = fileURLToPath(new URL("cost.js", import.meta.url));
  const { stdout } = await promisify(execFile)(process.execPath, [script, build, file], { timeout: 100_000 });
  return JSON.parse(stdout);
}

function expectWithin({ seconds, megabytes, error }: Cost, most: Pick<Cost, "seconds" | "megabytes">): void {
  expect(error?.typed ?? true, error?.message).toBe(true);
  expect(error?.length ?? 0).toBeLessThan(20_000);
  expect(seconds).toBeLessThan(most.seconds);
  expect(megabytes).toBeLessThan(most.megabytes);
}

describe("1 kB of any kind takes less than a second", () => {
  test.each(Object.entries(kinds))("%s", (_, make) => {
    const bytes = fileOf(make, 1000);
    const start = process.cpuUsage();
    try {
      const graph = importOnnx(bytes);
      loadSync(graph).dispose();
      save(graph);
    } catch (error) {
      if (!(error instanceof OctetteError)) throw error;
      expect(error.message.length).toBeLessThan(20_000);
    }
    const { user, system } = process.cpuUsage(start);
    expect((user + system) / 1e6).toBeLessThan(1);
  });
});

describe("1 kB takes less than 100 MB", () => {
  test.each(Object.entries(foldings))("%s", async (name, make) => {
    expectWithin(await costOf(`${name}.onnx`, fileOf(make, 1000)), { seconds: 1, megabytes: 100 });
  });
});

const large = [
  "Identity",
  "Relu",
  "Cast",
  "Reshape",
  "Squeeze",
  "Flatten",
  "Transpose",
  "Relu between codes",
  "MatMulInteger",
  ...Object.keys(shapes),
  ...Object.keys(foldings),
  "nodes of one missing operator",
  "nodes of n missing operators",
  "missing operators and opsets",
  "missing operators and functions",
  "empty nodes",
  "empty initializers",
  "empty value infos",
  "unknown dimensions",
  "numbers of an attribute",
  "inputs",
  "inputs with symbols that collide",
  "outputs",
  "readers of one value",
  "nodes of one name",
  "names that are taken",
  "reshapes of a long symbol",
  "Concat inputs",
  "Max inputs",
  "constants that are added",
  "values that live to the end",
];

describe("1 MB takes less than ten seconds and 500 MB", () => {
  test.each(large)("%s", async (name) => {
    expectWithin(await costOf(`${name}.onnx`, fileOf(kinds[name]!, 1e6)), { seconds: 10, megabytes: 500 });
  });
});
