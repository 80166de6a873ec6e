// Fifty deploys: every model is let go of, and memory stays where it is.

import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { test } from "node:test";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";

const script = fileURLToPath(new URL("../redeploys.js", import.meta.url));
/** MB that the heap, with the wasm and the buffers that it holds, may differ by among the last 25 deploys. */
const MOST = 2;
/** MB that the resident set may grow by among them. It also has pages that ended threads leave to the next; one worker left over takes as much. */
const MOST_RESIDENT = 10;

const meanOf = (numbers) => numbers.reduce((a, b) => a + b) / numbers.length;

test("fifty deploys leave no model and no memory behind", async () => {
  const { stdout } = await promisify(execFile)(process.execPath, ["--expose-gc", script, "50"]);
  const lines = stdout
    .trim()
    .split("\n")
    .map((line) => JSON.parse(line));
  assert.deepEqual(lines.pop(), { open: 0 });
  assert.equal(lines.length, 50);
  for (const { open, references } of lines) assert.deepEqual([open, references], [2, 4]);
  const last = lines.slice(-25);
  const heaps = last.map(({ heap }) => heap);
  assert.ok(Math.max(...heaps) - Math.min(...heaps) <= MOST, `heap: ${heaps}`);
  const sets = last.map(({ rss }) => rss);
  const grown = meanOf(sets.slice(-12)) - meanOf(sets.slice(0, 12));
  assert.ok(grown <= MOST_RESIDENT, `resident set: ${sets}`);
});
