// Writes down which of ONNX's operator tests pass (test/conformance/ledger.json). What passed before has to pass still, unless
// --lose says that it may not.

import { spawnSync } from "node:child_process";
import { root } from "./esbuild.js";

const OCTETTE_LEDGER = process.argv.includes("--lose") ? "lose" : "grow";
const { status } = spawnSync("npx", ["vitest", "run", "--project", "node", "test/conformance"], {
  cwd: root,
  stdio: "inherit",
  env: { ...process.env, OCTETTE_LEDGER },
});
process.exitCode = status ?? 1;
