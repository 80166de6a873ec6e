// Bundled folders run what they were made for: their script, in Node and in a page under a strict policy, gives the bytes
// that the whole toolkit gives.

import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { type BundleOptions, bundle } from "../../src/bundle/index";
import type { Model } from "../../src/engine/model";
import { plannerOf, withoutRunSizes } from "../../src/engine/planner";
import { writeArtifact } from "../../src/formats/octette";
import type { Graph } from "../../src/graph/graph";
import type { TypedArray } from "../../src/graph/tensor";
import { importOnnx, load as loadGraph, loadSync } from "../../src/index";
import { registry } from "../../src/ops/index";
import type { LoadOptions, OctetteError } from "../../src/runtime/index";
import { convGraph, denseGraph, networkGraph, opGraph, randomFeeds } from "../check-model";
import { onnxFile } from "../formats/onnx/model-file";
import { GraphBuilder } from "../graph-builder";
import { launch, Pages } from "./pages";

interface Script {
  load(options?: LoadOptions): Promise<Model>;
  readonly OctetteError: typeof OctetteError;
}

const folder = mkdtempSync(join(tmpdir(), "octette-bundle-"));
afterAll(() => rmSync(folder, { recursive: true }));

const NAME = "a model #1.octette";

/** Writes the bundle of a graph and returns its folder. */
async function bundled(graph: Graph, options: Partial<BundleOptions> = {}) {
  const at = mkdtempSync(join(folder, "page-"));
  const made = await bundle(graph, writeArtifact(graph), {
    model: NAME,
    classes: ["baseline", "extmul", "relaxed"],
    beside: false,
    ...options,
  });
  for (const [name, content] of made.files) writeFileSync(join(at, name), content);
  return { at, ...made };
}

const scriptOf = (at: string): Promise<Script> =>
  import(/* @vite-ignore */ pathToFileURL(join(at, "octette.js")).href);

const bytesOf = ({ buffer, byteOffset, byteLength }: TypedArray) => [
  ...new Uint8Array(buffer, byteOffset, byteLength),
];

/** A convolution of images whose height only a run knows. */
function tallGraph(): Graph {
  const b = new GraphBuilder(5);
  const x = b.input("x", ["batch", 3, "height", 8]);
  const attributes = { kernel_shape: [3, 3], strides: [2, 2], pads: [1, 1, 1, 1] };
  b.node("Relu", [b.node("Conv", [x, b.floats("w", [4, 3, 3, 3], 1)], "c", attributes)], "y");
  return b.build("y");
}

/** An If of two layers, whose ops and kernels nothing else calls. */
function branching(): Graph {
  const branch = (op: string) => ({
    graph: { nodes: [{ op, inputs: ["x"], outputs: ["made"] }], outputs: ["made"] },
  });
  const attributes = { then_branch: branch("Softmax"), else_branch: branch("Erf") };
  const inputs = [
    { name: "c", shape: [], type: 9 },
    { name: "x", shape: ["batch", 4] },
  ];
  return importOnnx(onnxFile({ nodes: [{ op: "If", inputs: ["c"], outputs: ["y"], attributes }], inputs }));
}

const graphs: Record<string, Graph> = {
  "a float network": networkGraph({ quantized: false }),
  "an int8 network": networkGraph(),
  "an int8 convolution": convGraph({ cin: 5, cout: 9, k: 3, pad: 1, h: 7, w: 6 }),
  "a dense layer, dynamic": denseGraph({ k: 17, n: 5, mode: "dynamic" }),
  "images of any height": tallGraph(),
  "graphs within the graph": branching(),
  "a float op": opGraph({ op: "Gelu", shapes: [["batch", 17]], quantized: false }),
};

describe("the script alone, in Node", () => {
  for (const [name, graph] of Object.entries(graphs))
    for (const beside of [false, true])
      test(`${name}, wasm ${beside ? "beside" : "inside"}: one row, several, in parts`, async () => {
        const { at } = await bundled(graph, { beside });
        const { load } = await scriptOf(at);
        for (const maxima of [{ batch: 1 }, { batch: 5 }, { batch: 2 }]) {
          const feeds = randomFeeds(graph, 5);
          const [model, whole] = [await load({ maxima }), await loadGraph(graph, { maxima })];
          const [got, expected] = [model.runSync(feeds), whole.runSync(feeds)];
          for (const output of graph.outputs)
            expect(bytesOf(got[output]!.data)).toEqual(bytesOf(expected[output]!.data));
          model.dispose();
          whole.dispose();
        }
      });
});

test("what is made without sizes of a run throws where it needs them, and only while it is made so", () => {
  const plan = () => plannerOf(tallGraph(), { registry, engineClass: "baseline", maxima: {} })({}).sizes;
  const sizes = plan();
  expect(() => withoutRunSizes(plan)).toThrow(/sizes that only a run knows/);
  expect(plan()).toEqual(sizes);
});

test("carries ops and kernels of the model, and no others", async () => {
  const { ops, kernels, files } = await bundled(denseGraph({ k: 3, n: 2, mode: "static" }), {
    classes: ["baseline"],
    beside: true,
  });
  expect(ops).toEqual(["DequantizeLinear", "Linear", "QuantizeLinear"]);
  expect(kernels).toContain("gemmInt8");
  expect([...files.keys()]).toEqual([
    "octette.js",
    "common.wasm",
    "baseline.wasm",
    NAME,
    "thread-pool.js",
    "threads-worker.js",
    "stream.js",
    "index.html",
    "page.js",
    "page.css",
    "icon.svg",
    "learn.js",
    "learn-floats.wasm",
    "learn-train.wasm",
  ]);
  const script = new TextDecoder().decode(files.get("octette.js"));
  expect(script).not.toMatch(/maxPool|softmax|pads and image/);
  expect(script).not.toMatch(/\beval\(|new Function/);
  const common = files.get("common.wasm")!;
  const exports = WebAssembly.Module.exports(new WebAssembly.Module(common as Uint8Array<ArrayBuffer>));
  for (const { name, kind } of exports) if (kind === "function") expect(kernels).toContain(name);
});

/** A page's script that runs the feeds beside it; its title becomes the bytes of the outputs. */
const CHECK = `
  import { load } from "./octette.js";
  const arrays = { f32: Float32Array, i32: Int32Array, i8: Int8Array, u8: Uint8Array, bool: Uint8Array };
  const model = await load({ maxima: { batch: 3 } });
  const stored = await (await fetch("feeds.json")).json();
  const feeds = stored.map(([name, { dtype, shape, data }]) => [name, { dtype, shape, data: new arrays[dtype](data) }]);
  const outputs = await model.run(Object.fromEntries(feeds));
  const bytes = Object.entries(outputs).map(([name, { data }]) => [name, [...new Uint8Array(data.buffer)]]);
  document.body.innerHTML = "<div id=facts><dl></dl></div>";
  document.title = JSON.stringify(Object.fromEntries(bytes));`;

describe.skipIf(!launch)("the script, in Chromium, under the policy that its page states", () => {
  let pages: Pages;
  beforeAll(async () => {
    pages = await Pages.start();
  });
  afterAll(() => pages?.stop());

  const forms: [string, Partial<BundleOptions>][] = [
    ["all classes, wasm inside", {}],
    ["all classes, wasm beside", { beside: true }],
    ["baseline, wasm beside", { classes: ["baseline"], beside: true }],
  ];
  for (const [form, options] of forms)
    test(`${form}: gives the bytes that Node gives`, async () => {
      const graph = graphs["an int8 network"]!;
      const at = await pages.bundled(graph, { model: NAME, ...options });
      const feeds = randomFeeds(graph, 3);
      const stored = Object.entries(feeds).map(([name, tensor]) => [
        name,
        { ...tensor, data: [...tensor.data] },
      ]);
      writeFileSync(join(at, "feeds.json"), JSON.stringify(stored));
      writeFileSync(join(at, "page.js"), CHECK);
      const { page, complaints } = await pages.open(at);
      const answer = JSON.parse(await page.title());
      const model = loadSync(graph, { maxima: { batch: 3 } });
      const expected = model.runSync(feeds);
      model.dispose();
      expect(answer).toEqual(
        Object.fromEntries(Object.entries(expected).map(([name, { data }]) => [name, bytesOf(data)])),
      );
      expect(complaints).toEqual([]);
    });
});
