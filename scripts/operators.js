// Writes the list of operators, docs/operators.md.

import { spawnSync } from "node:child_process";
import { root } from "./esbuild.js";

const { status } = spawnSync("npx", ["vitest", "run", "--project", "node", "test/operators.test.ts"], {
  cwd: root,
  stdio: "inherit",
  env: { ...process.env, OCTETTE_OPERATORS: "write" },
});
process.exitCode = status ?? 1;
