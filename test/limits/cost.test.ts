// Reading, simplifying, compiling and saving a file cost no more than its size allows, whatever it is made of: 1 kB not a
// second or 100 MB, 1 MB not ten seconds or 500 MB. CPU time is measured, beside that of work that does not change: a slow or busy
// machine may take longer for both.

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
import { OctetteError } from "../../src/errors";
import { tensor } from "../../src/graph/tensor";
import { importOnnx, load, loadSync, readArtifact, save } from "../../src/index";
import { onnxFile } from "../formats/onnx/model-file";
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

test("provenance of any depth ends in an error that names the limit", () => {
  const graph = importOnnx(fileOf(chains.Relu!, 1000));
  let deep: unknown = 0;
  for (let i = 0; i < 200_000; i++) deep = [deep];
  expect(() => save({ ...graph, provenance: { deep } })).toThrow(/MAX_DEPTH = 64/);
  expect(() => save({ ...graph, provenance: { shallow: [[[1]]] } })).not.toThrow();
});

/** Makes `elements` floats of one: as a file it has some hundred bytes. */
const expanded = (elements: number) =>
  importOnnx(
    onnxFile({
      nodes: [{ op: "Expand", inputs: ["x", "shape"], outputs: ["y"] }],
      inputs: [{ name: "x", shape: [1] }],
      initializers: { shape: tensor("i32", [1], [elements]) },
    }),
  );

describe("a model's memory", () => {
  test("is bounded by DEFAULT_MAX_BYTES in load and save, and by maxBytes where it is given", () => {
    const graph = expanded(2 ** 28);
    expect(() => loadSync(graph)).toThrow(/at most 1073741824 bytes \(DEFAULT_MAX_BYTES\).*maxBytes/);
    expect(() => save(graph)).toThrow(/DEFAULT_MAX_BYTES/);
    const small = expanded(2 ** 18);
    for (const maxBytes of [1e6, "1MB", "900 KiB"])
      expect(() => loadSync(small, { maxBytes })).toThrow(/takes more memory than it may/);
    for (const maxBytes of [2e6, "2MB", "1.5 MiB", Number.POSITIVE_INFINITY])
      loadSync(small, { maxBytes }).dispose();
    for (const maxBytes of ["much", "", Number.NaN, -1])
      expect(() => loadSync(small, { maxBytes })).toThrow(/maxBytes: invalid size/);
    expect(() => save(small, { maxBytes: "1MB" })).toThrow(/takes more memory than it may/);
    expect(save(small).length).toBeGreaterThan(0);
  });

  test("and the work of its self-test", () => {
    const slow = importOnnx(
      onnxFile({
        nodes: [
          {
            op: "AveragePool",
            inputs: ["x"],
            outputs: ["y"],
            attributes: { kernel_shape: { ints: [4096, 4096] }, pads: { ints: [4000, 4000, 4000, 4000] } },
          },
        ],
        inputs: [{ name: "x", shape: [1, 1, 128, 128] }],
      }),
    );
    expect(() => save(slow)).toThrow(/MAX_SELF_TEST_MACS = 68719476736.*selfTest: false/);
    const bytes = save(slow, { selfTest: false });
    expect(readArtifact(bytes).selfTest).toBeUndefined();
  });
});

test("a signal stops a source that never gives anything", async () => {
  const never = { [Symbol.asyncIterator]: () => ({ next: () => new Promise<never>(() => {}) }) };
  const loading = load(never, { signal: AbortSignal.timeout(50) });
  await expect(loading).rejects.toThrow(expect.objectContaining({ name: "TimeoutError" }));
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
