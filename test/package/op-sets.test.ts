// A runtime of few ops, as a user's bundler makes it of the package: what it does not name stays out.

import { build } from "esbuild";
import { beforeAll, expect, test } from "vitest";
import { writeArtifact } from "../../src/formats/octette";
import { denseGraph, networkGraph, randomFeeds } from "../check-model";

const root = new URL("../../", import.meta.url).pathname;
const PAGE = `
  import { createRuntime, OctetteError } from "octette/create-runtime";
  import { DequantizeLinear, Linear, QuantizeLinear } from "octette/ops";
  import { baseline, common } from "octette/wasm";
  const runtime = createRuntime({ DequantizeLinear, Linear, QuantizeLinear }, { baseline, common });
  export const { loadSync, info } = runtime;
  export { OctetteError };`;

let script: string;
let page: typeof import("../../src/runtime") & Pick<import("../../src/runtime").Runtime, "info">;
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
  for (const kernel of ["hardSwish", "softmax", "gelu", "maxPool", "conv", "reduceSum", "copyRows"])
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
