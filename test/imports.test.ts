// Imports point one way, and the deploy entry reaches nothing but what loading and running needs.

import { build } from "esbuild";
import { expect, test } from "vitest";

const closureOf = async (entry: string) => {
  const { metafile } = await build({
    entryPoints: [entry],
    bundle: true,
    write: false,
    metafile: true,
    format: "esm",
    external: ["node:*", "*?script"],
    loader: { ".wasm": "base64" },
    logLevel: "error",
  });
  return metafile.inputs;
};

/** Folder of src/ a file belongs to; the file itself where it lies at the top. */
const roomOf = (file: string) => /^src\/([^/]+)\//.exec(file)?.[1] ?? file;

test("octette/runtime reaches graph, ops, engine and its own format", async () => {
  const files = Object.keys(await closureOf("src/runtime/index.ts"));
  const outside = files
    .filter((file) => !/^(src\/(graph|ops|engine|runtime)|build\/(wasm|groups)|assembly)\//.test(file))
    .sort();
  expect(outside).toEqual([
    "src/bytes.ts",
    "src/errors.ts",
    "src/formats/artifact-stream.ts",
    "src/formats/checks.ts",
    "src/formats/decode-graph.ts",
    "src/formats/encode-graph.ts",
    "src/formats/graph-rows.ts",
    "src/formats/int4.ts",
    "src/formats/octette.ts",
    "src/formats/own-tensors.ts",
    "src/formats/safetensors-header.ts",
    "src/formats/seal.ts",
    "src/formats/write-safetensors.ts",
    "src/node-module.ts",
    "src/options.ts",
    "src/portable-math.ts",
  ]);
});

test("of the kernels' sources the host compiles sizes, types, structs and phases of windows alone", async () => {
  const files = Object.keys(await closureOf("src/index.ts")).filter((file) => file.startsWith("assembly/"));
  expect(files.filter((file) => !/[/-](sizes|types|whole|window|phase)\.ts$/.test(file))).toEqual([]);
});

test("octette/create-runtime does not reach the op groups, nor the runtime that has them", async () => {
  const files = Object.keys(await closureOf("src/runtime/create-runtime-alone.ts"));
  expect(files.filter((file) => /^build\/|core-(groups|runtime)|op-groups/.test(file))).toEqual([]);
});

test("octette does not carry octette/nn", async () => {
  for (const entry of ["src/index.ts", "src/cli/main.ts"])
    expect(Object.keys(await closureOf(entry)).filter((file) => roomOf(file) === "nn")).toEqual([]);
});

/** What lies beside the rooms, for all of them. */
const besideRooms = new Set([
  "src/errors.ts",
  "src/bytes.ts",
  "src/event-loop.ts",
  "src/long-call.ts",
  "src/node-module.ts",
  "src/options.ts",
  "src/portable-math.ts",
  "src/visible.ts",
]);

/** What each room may import, itself and what lies beside the rooms aside. */
const allowed: Record<string, readonly string[]> = {
  graph: [],
  ops: ["graph"],
  engine: ["graph", "ops"],
  formats: ["graph", "files"],
  files: [],
  runtime: ["graph", "ops", "engine", "formats"],
  rewrite: ["graph", "ops"],
  passes: ["graph", "ops", "rewrite"],
  toolkit: ["graph", "ops", "engine", "formats", "passes", "runtime"],
  pictures: ["graph", "formats", "engine"],
  sound: ["engine"],
  data: ["graph", "formats", "engine", "pictures", "sound"],
  quantize: ["graph", "ops", "engine", "formats", "files", "passes", "text", "rewrite", "toolkit"],
  report: ["graph", "ops", "engine", "passes", "data", "toolkit", "runtime"],
  train: ["graph", "ops", "engine", "formats", "files", "passes", "data", "quantize", "rewrite", "toolkit"],
  bundle: ["graph", "ops", "engine", "formats", "train", "toolkit"],
  nn: ["graph", "ops", "engine", "passes", "data", "quantize", "train", "toolkit"],
  text: ["graph", "ops", "engine", "formats", "files", "runtime"],
  learner: ["graph", "engine", "formats", "files", "data", "quantize", "train", "runtime", "toolkit"],
};

/** All files that the entries of the package reach, by their paths. */
const reached = async () => {
  const entries = [
    "src/cli/main.ts",
    "src/nn/index.ts",
    "src/pictures/index.ts",
    "src/sound/index.ts",
    "src/text/index.ts",
    "src/learner/index.ts",
  ];
  const closures = await Promise.all(entries.map(closureOf));
  return Object.assign({}, ...closures) as (typeof closures)[number];
};

test("no file needs itself by way of what it imports", async () => {
  const inputs = await reached();
  const circles: string[] = [];
  const done = new Set<string>();
  const visit = (file: string, way: readonly string[]) => {
    if (way.includes(file)) circles.push([...way.slice(way.indexOf(file)), file].join(" → "));
    if (done.has(file)) return;
    done.add(file);
    for (const { path, kind } of inputs[file]!.imports)
      if (kind === "import-statement" && path in inputs) visit(path, [...way, file]);
  };
  for (const file of Object.keys(inputs)) visit(file, []);
  expect(circles).toEqual([]);
});

test("rooms import only what lies below them", async () => {
  const inputs = await reached();
  const wrong = Object.entries(inputs).flatMap(([file, { imports }]) => {
    const room = roomOf(file);
    if (!(room in allowed)) return [];
    return imports
      .map(({ path }) => path)
      .filter((path) => path.startsWith("src/") && !besideRooms.has(path))
      .filter((path) => roomOf(path) !== room && !allowed[room]!.includes(roomOf(path)))
      .map((path) => `${file} imports ${path}`);
  });
  expect(wrong).toEqual([]);
});
