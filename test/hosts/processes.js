// Hosts that run a program and print: Node, Bun, Deno and workerd; compilers of types; bundles for Node.

import { spawn } from "node:child_process";
import { cpSync, writeFileSync } from "node:fs";
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { binaryOf, placeFor, root, run, tarball, toolsOf } from "./places.js";

const answerIn = async (place, command, args) => JSON.parse(await run(command, args, { cwd: place }));

const node = (major) =>
  ["node.js", "require.cjs"].map((program) => ({
    name: `Node ${major}, ${program === "node.js" ? "import" : "require"}`,
    async ask(name) {
      return answerIn(placeFor(name), await binaryOf(`node${major}`, "bin/node"), [program]);
    },
  }));

const bun = {
  name: "Bun",
  ask: async (name) => answerIn(placeFor(name), await binaryOf("bun", "bin/bun"), ["node.js"]),
};
const deno = {
  name: "Deno",
  async ask(name) {
    const command = await binaryOf("deno", "deno");
    return answerIn(placeFor(name), command, ["run", "--allow-read", "--allow-env", "node.js"]);
  },
};

/** The documented entry of workerd, bundled as Cloudflare's own tool does. */
const workerd = {
  name: "workerd",
  only: { threads: 1, reason: /^1 core/ },
  async ask(name) {
    const place = placeFor(name);
    const { build } = await import(join(await toolsOf("esbuild"), "esbuild/lib/main.js"));
    const wasm = {
      name: "wasm-modules",
      setup: ({ onResolve }) =>
        onResolve({ filter: /\.wasm$/ }, ({ path }) => ({ path: path.split("/").at(-1), external: true })),
    };
    await build({
      absWorkingDir: place,
      entryPoints: ["workerd.js"],
      outfile: join(place, "main.js"),
      bundle: true,
      format: "esm",
      conditions: ["workerd", "worker", "browser"],
      allowOverwrite: true,
      plugins: [wasm],
    });
    for (const group of ["common", "baseline", "math"])
      cpSync(join(root, `build/wasm/${group}.wasm`), join(place, `${group}.wasm`));
    writeFileSync(
      join(place, "config.capnp"),
      `using Workerd = import "/workerd/workerd.capnp";
const config :Workerd.Config = (
  services = [(name = "main", worker = .worker)],
  sockets = [(name = "http", address = "127.0.0.1:0", http = (), service = "main")],
);
const worker :Workerd.Worker = (
  modules = [
    (name = "main.js", esModule = embed "main.js"),
    (name = "common.wasm", wasm = embed "common.wasm"),
    (name = "baseline.wasm", wasm = embed "baseline.wasm"),
    (name = "math.wasm", wasm = embed "math.wasm"),
  ],
  compatibilityDate = "2026-01-01",
);
`,
    );
    const command = join(await toolsOf("workerd"), "workerd/bin/workerd");
    const server = spawn(command, ["serve", "config.capnp", "--control-fd=3"], {
      cwd: place,
      stdio: ["ignore", "inherit", "inherit", "pipe"],
    });
    try {
      const port = await new Promise((resolve, reject) => {
        server.once("error", reject).once("exit", () => reject(new Error("workerd ended")));
        server.stdio[3].on("data", (line) => {
          const { event, port } = JSON.parse(line);
          if (event === "listen") resolve(port);
        });
      });
      const body = await readFile(join(place, "model.octette"));
      return await (await fetch(`http://127.0.0.1:${port}`, { method: "POST", body })).json();
    } finally {
      server.kill();
    }
  },
};

const bundledForNode = (format) => ({
  isAlone: true,
  name: `esbuild for Node, ${format === "esm" ? "ESM" : "CommonJS"}`,
  async ask(name) {
    const place = placeFor(name);
    const { build } = await import(join(await toolsOf("esbuild"), "esbuild/lib/main.js"));
    const file = format === "esm" ? "out/main.mjs" : "out/main.cjs";
    await build({
      absWorkingDir: place,
      entryPoints: ["node.js"],
      outfile: join(place, file),
      bundle: true,
      platform: "node",
      format,
      logLevel: "error",
    });
    return answerIn(place, process.execPath, [file]);
  },
});

const resolutions = {
  nodenext: { module: "nodenext" },
  node16: { module: "node16" },
  bundler: { module: "esnext", moduleResolution: "bundler" },
};

const typescript = (tool, version) =>
  Object.entries(resolutions).map(([resolution, options]) => ({
    name: `TypeScript ${version}, ${resolution}`,
    says: "compiles",
    async ask(name) {
      const place = placeFor(name);
      const consumer = join(root, "test/package/consumer");
      cpSync(join(consumer, "consumer.ts"), join(place, "consumer.ts"));
      const { compilerOptions } = JSON.parse(await readFile(join(consumer, "tsconfig.json"), "utf8"));
      const config = {
        compilerOptions: { ...compilerOptions, ...options, skipLibCheck: false },
        include: ["consumer.ts"],
      };
      writeFileSync(join(place, "tsconfig.json"), JSON.stringify(config));
      writeFileSync(join(place, "package.json"), '{ "type": "module" }');
      await run(process.execPath, [join(await toolsOf(tool), "typescript/bin/tsc"), "-p", place]);
    },
  }));

/** Tools that read the packed package and find nothing to say about its fields, files and types. */
const readers = [
  {
    name: "publint",
    says: "clean",
    ask: async () =>
      run(process.execPath, [join(await toolsOf("publint"), "publint/src/cli.js"), tarball, "--strict"]),
  },
  {
    name: "Are the types wrong",
    says: "clean",
    async ask() {
      const attw = join(await toolsOf("attw"), "@arethetypeswrong/cli/dist/index.js");
      // Entries that are no modules: wasm, and the package's own fields.
      const others = ["wasm/*", "package.json"];
      const args = [tarball, "--profile", "esm-only", "--no-color", "--exclude-entrypoints", ...others];
      return run(process.execPath, [attw, ...args]);
    },
  },
];

export const processes = [
  ...readers,
  ...[20, 22, 24, 26].flatMap(node),
  ...typescript("typescript54", "5.4"),
  ...typescript("typescript", "current"),
  bundledForNode("esm"),
  bundledForNode("cjs"),
  bun,
  deno,
  workerd,
];
