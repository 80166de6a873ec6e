// Reading, simplifying, compiling and saving a file cost no more than its size allows, whatever it is made of: 1 kB not a
// second or 100 MB, 1 MB not ten seconds or 500 MB. CPU time of processes is measured, beside that of work that does not change: a slow or
// busy machine may take longer for both.

import { execFile } from "node:child_process";
import { existsSync } from "node:fs";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { gzipSync } from "node:zlib";
import { zipSync } from "fflate";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { tensor } from "../../src/graph/tensor";
import { onnxFile } from "../formats/onnx/model-file";
import { fileOf, foldings, kinds, shapes } from "./kinds";

const build = process.env.OCTETTE_BUILD ?? fileURLToPath(new URL("../../build", import.meta.url));

interface Cost {
  readonly seconds: number;
  /** How much slower the machine is than the one that limits are given for: at least 1. */
  readonly slowness: number;
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

function expectWithin(
  { seconds, slowness, megabytes, error }: Cost,
  most: Pick<Cost, "seconds" | "megabytes">,
): void {
  expect(error?.typed ?? true, error?.message).toBe(true);
  expect(error?.length ?? 0).toBeLessThan(20_000);
  expect(seconds / slowness).toBeLessThan(most.seconds);
  expect(megabytes).toBeLessThan(most.megabytes);
}

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

const gzip = (bytes: Uint8Array | string) => new Uint8Array(gzipSync(bytes));
const NPY = (shape: string) => {
  const header = `{'descr': '|u1', 'fortran_order': False, 'shape': (${shape}), }`;
  return `\x93NUMPY\x01\x00${String.fromCharCode(118, 0)}${header.padEnd(117)}\n`;
};
const zeros = (n: number) => {
  const head = Buffer.from(NPY(`${n},`), "latin1");
  const bytes = Buffer.alloc(head.length + n);
  head.copy(bytes);
  return bytes;
};

/** Data that are small and become large. */
const data: Readonly<Record<string, () => Uint8Array>> = {
  "rows of a table.csv": () => new TextEncoder().encode("1,2\n".repeat(250_000)),
  "columns of a table.csv": () => new TextEncoder().encode(`${"1,".repeat(500_000)}1\n`),
  "blank lines of a table.csv": () => new TextEncoder().encode(`1,2\n${"\n".repeat(1e6)}`),
  "quotes of a table.csv": () => new TextEncoder().encode(`"${'""'.repeat(499_000)}",1\n`),
  "rows of a packed table.csv.gz": () => gzip("1,2\n".repeat(50_000_000)),
  "rows of a packed table that is read.csv.gz": () =>
    gzip(Uint8Array.from({ length: 9_000_000 }, (_, i) => (i % 4 < 3 ? 49 + ((i * 7919) % 9) : 10)).slice()),
  "zeros of an array.npy.gz": () => gzip(zeros(400_000_000)),
  "zeros of an archive.npz": () =>
    zipSync({ "image.npy": new Uint8Array(zeros(300_000_000)) }, { mtime: new Date(1980, 0, 1), level: 1 }),
};

describe("data of 1 MB take less than ten seconds and 500 MB", () => {
  test.each(Object.entries(data))("%s", async (name, make) => {
    expectWithin(await costOf(name.replaceAll(" ", "-"), make()), { seconds: 10, megabytes: 500 });
  });
});

test("octette footprint ends where its model cannot be saved", async () => {
  const graph = { nodes: [{ op: "Expand", inputs: ["x", "s"], outputs: ["y"] }] };
  const bytes = onnxFile({
    ...graph,
    inputs: [{ name: "x", shape: [1] }],
    initializers: { s: tensor("i32", [1], [2 ** 28]) },
  });
  const file = join(folder, "large.onnx");
  await writeFile(file, bytes);
  const run = promisify(execFile)(process.execPath, [join(build, "cli.js"), "footprint", file], {
    timeout: 60_000,
  });
  await expect(run).rejects.toMatchObject({ code: 1, stderr: expect.stringContaining("DEFAULT_MAX_BYTES") });
});
