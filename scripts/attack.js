// Builds and starts the project's attack on itself; test/attack/main.ts says what it does and takes.

import { spawnSync } from "node:child_process";
import { existsSync } from "node:fs";
import { build } from "esbuild";
import { root } from "./esbuild.js";

const peer = "test/attack/peer";
if (!existsSync(`${root}${peer}/node_modules/onnxruntime-web`)) {
  const install = [
    "install",
    "--prefix",
    peer,
    "--no-package-lock",
    "--no-audit",
    "--no-fund",
    "--ignore-scripts",
    "--silent",
  ];
  spawnSync("npm", install, { cwd: root, stdio: "inherit" });
}
await build({
  absWorkingDir: root,
  entryPoints: ["test/attack/main.ts", "test/attack/worker.ts"],
  outdir: "build/attack",
  bundle: true,
  format: "esm",
  platform: "node",
  target: "node20",
  logLevel: "warning",
});
const { status } = spawnSync(process.execPath, [`${root}build/attack/main.js`, ...process.argv.slice(2)], {
  stdio: "inherit",
});
process.exitCode = status ?? 1;
