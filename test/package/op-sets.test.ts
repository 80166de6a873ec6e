// A runtime of few ops, as a user's bundler makes it of the package: what it does not name stays out.

import { build } from "esbuild";
import { beforeAll, expect, test } from "vitest";
import { writeArtifact } from "../../src/formats/octette";
import { tensor } from "../../src/graph/tensor";
import type { Runtime } from "../../src/runtime/runtime";
import { denseGraph, networkGraph, randomFeeds } from "../check-model";
import { GraphBuilder } from "../graph-builder";

const root = new URL("../../", import.meta.url).pathname;
const PAGE = `
  import { createRuntime, OctetteError } from "octette/create-runtime";
  import { Conv, DequantizeLinear, Linear, QuantizeLinear, Relu } from "octette/ops";
  import { baseline, common, floats } from "octette/wasm";
  const runtime = createRuntime({ DequantizeLinear, Linear, QuantizeLinear }, { baseline, common });
  export const { loadSync, info } = runtime;
  export const ofImages = createRuntime({ Conv, Relu }, { baseline, common, floats });
  export { OctetteError };`;

let script: string;
type Page = typeof import("../../src/runtime/index") & {
  readonly info: Runtime["info"];
  readonly ofImages: Runtime;
};
let page: Page;
beforeAll(async () => {
  const { outputFiles } = await build({
    stdin: { contents: PAGE, resolveDir: root },
    bundle: true,
    write: false,
    format: "esm",
    logLevel: "error",
  });
  script = outputFiles[0]!.text;
  page = await import(`data:text/javascript;base64,${Buffer.from(script).toString("base64")}`);
});

test("carries no op and no wasm that it does not name", async () => {
  const { ops, baseline, relaxed } = {
    ops: (await import("../../src/ops/index")).registry,
    ...(await import("../../src/engine/modules")),
  };
  for (const name of Object.keys(ops)) expect(script, name).not.toContain(`  ${name}: `);
  for (const kernel of ["hardSwish", "softmax", "gelu", "maxPool", "reduceSum", "copyRows"])
    expect(script, kernel).not.toContain(`"${kernel}"`);
  expect(script).toContain(Buffer.from(baseline).toString("hex"));
  expect(script).not.toContain(Buffer.from(relaxed).toString("hex"));
});

test("runs what it has ops for, in the class that it carries", () => {
  const graph = denseGraph({ k: 3, n: 2, mode: "static" });
  const feeds = randomFeeds(graph, 1);
  const model = page.loadSync(writeArtifact(graph));
  expect(model.runSync(feeds)).toHaveProperty("y");
  expect(model.engine.engineClass).toBe("baseline");
  model.dispose();
});

test("and says which ops it lacks, and what to do", () => {
  expect(() => page.loadSync(writeArtifact(networkGraph()))).toThrow(
    expect.objectContaining({
      code: "unsupported",
      message: expect.stringMatching(
        /not in this runtime: Add, Concat, Conv, .*octette\/ops.*createRuntime\(\{ …, Add, Concat, Conv, /,
      ),
    }),
  );
});

test("and that it lacks the kernels of float layers", () => {
  expect(() => page.loadSync(writeArtifact(denseGraph({ k: 3, n: 2, mode: "float" })))).toThrow(
    expect.objectContaining({ code: "engine", message: expect.stringMatching(/no kernel "\w+".*floats/) }),
  );
});

test("plans images of any size after an import, which a loading that cannot wait asks for", async () => {
  const imageGraph = (height: number | string) => {
    const b = new GraphBuilder(3);
    const x = b.input("x", ["batch", 3, height, 8]);
    const pads = [1, 1, 1, 1];
    const attributes = { kernel_shape: [3, 3], strides: [2, 2], pads };
    b.node("Relu", [b.node("Conv", [x, b.floats("w", [4, 3, 3, 3], 1)], "c", attributes)], "y");
    return writeArtifact(b.build("y"));
  };
  const { ofImages } = page;
  const fixed = ofImages.loadSync(imageGraph(6));
  expect(() => ofImages.loadSync(imageGraph("height"))).toThrow(
    expect.objectContaining({
      code: "unsupported",
      message: expect.stringMatching(/load\(\), or .*preload\("sizes"\), or preloadSizes\(\)/),
    }),
  );
  const data = Array.from({ length: 2 * 3 * 6 * 8 }, (_, i) => Math.sin(i));
  const feeds = { x: tensor("f32", [2, 3, 6, 8], data) };
  const expected = fixed.runSync(feeds);
  for (const load of [
    () => ofImages.load(imageGraph("height")),
    async () => ofImages.loadSync(imageGraph("height")),
  ]) {
    const model = await load();
    expect(model.outputs[0]!.shape).toEqual(["batch", 4, "div(1+height,2)", 4]);
    expect(model.runSync(feeds)).toEqual(expected);
    model.dispose();
  }
  fixed.dispose();
});
