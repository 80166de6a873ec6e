// Next on its default settings: one build, asked as a page and as a route.

import { spawn } from "node:child_process";
import { once } from "node:events";
import { cpSync, rmSync } from "node:fs";
import { createServer } from "node:net";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { answerAt } from "./pages.js";
import { app, folder, inputs, run, toolsOf } from "./places.js";

/** Longest that the server may take to start, in milliseconds. */
const PATIENCE = 30_000;

/** Vite sets NODE_ENV of this process; Next has its own. */
const env = { NEXT_TELEMETRY_DISABLED: "1", NODE_ENV: undefined };

let built;
/** Builds the project, once. */
async function build() {
  const modules = await toolsOf("next");
  const place = dirname(modules);
  for (const made of [".next", "node_modules/octette"])
    rmSync(join(place, made), { recursive: true, force: true });
  cpSync(join(folder, "node_modules/octette"), join(modules, "octette"), { recursive: true });
  cpSync(fileURLToPath(new URL("next-app", import.meta.url)), place, { recursive: true });
  for (const program of [
    "answer.js",
    "language.js",
    "hex.js",
    "learner.js",
    "media.js",
    "octette.js",
    "run.js",
  ])
    cpSync(join(app, program), join(place, "app", program));
  for (const file of inputs) cpSync(join(folder, file), join(place, "public", file), { recursive: true });
  const command = join(modules, "next/dist/bin/next");
  await run(process.execPath, [command, "build"], { cwd: place, env });
  return { place, command };
}

async function freePort() {
  const server = createServer().listen(0, "127.0.0.1");
  await once(server, "listening");
  const { port } = server.address();
  server.close();
  await once(server, "close");
  return port;
}

/** What a server of the build answers. */
async function served(ask) {
  const { place, command } = await (built ??= build());
  const port = await freePort();
  const origin = `http://127.0.0.1:${port}`;
  const args = [command, "start", "--hostname", "127.0.0.1", "--port", `${port}`];
  const server = spawn(process.execPath, args, {
    cwd: place,
    env: { ...process.env, ...env },
    stdio: "ignore",
  });
  try {
    for (const end = Date.now() + PATIENCE; ; await new Promise((resolve) => setTimeout(resolve, 100)))
      if (await fetch(`${origin}/digits.onnx`).catch(() => undefined)) break;
      else if (Date.now() > end || server.exitCode !== null) throw new Error("the server does not start");
    return await ask(origin);
  } finally {
    server.kill();
  }
}

export const next = [
  { name: "Next 16, page", ask: () => served((origin) => answerAt(`${origin}/`)) },
  {
    name: "Next 16, route",
    ask: () =>
      served(async (origin) => {
        const response = await fetch(`${origin}/api/answer`);
        if (!response.ok) throw new Error(await response.text());
        return response.json();
      }),
  },
];
