// Memory of a process that loads the built runtime: models let go of it, however often they are loaded.

import { spawnSync } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, expect, test } from "vitest";
import { writeArtifact } from "../../src/formats/octette";
import { denseGraph } from "../check-model";

const folder = mkdtempSync(join(tmpdir(), "octette-memory-"));
afterAll(() => rmSync(folder, { recursive: true }));

const runtime = new URL("../../build/runtime.js", import.meta.url).href;

/** A megabyte of weights. */
const path = join(folder, "dense.octette");
writeFileSync(path, writeArtifact(denseGraph({ k: 1024, n: 1024 })));

test("200 models loaded, run and disposed of leave no more than the first 100 did", () => {
  const script = `
    import { load } from ${JSON.stringify(runtime)};
    const rss = [];
    for (let i = 0; i < 200; i++) {
      const model = await load(${JSON.stringify(path)});
      model.runSync({ x: new Float32Array(1024) });
      model.dispose();
      gc();
      rss.push(process.memoryUsage.rss());
    }
    console.log(JSON.stringify({ grown: rss.at(-1) - rss[99], file: ${1 << 20} }));`;
  const { stdout, stderr } = spawnSync(
    process.execPath,
    ["--expose-gc", "--input-type=module", "-e", script],
    {
      encoding: "utf8",
    },
  );
  expect(stderr).toBe("");
  const { grown, file } = JSON.parse(stdout) as { grown: number; file: number };
  // One model kept out of ten would be ten megabytes.
  expect(grown).toBeLessThan(8 * file);
});
