// Hosts that are pages: scripts as they are, bundles on the default settings of each bundler, development servers.

import { cpSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { isolation, launch, serve } from "../../scripts/chromium.js";
import { folder, inputs, placeFor, toolsOf } from "./places.js";

/** Longest that a page may take, in milliseconds. */
const PATIENCE = 60_000;

const policy = (scripts) => ({
  "Content-Security-Policy": `default-src 'none'; script-src ${scripts}; connect-src 'self'`,
});
const STRICT = policy("'self' 'wasm-unsafe-eval'");

let browser;
/** Ends the browser, if one was started. */
export const closeBrowser = () => browser?.close();

/** What a page answers, which knows the options. */
export async function answerAt(url, options) {
  browser ??= await launch();
  const page = await browser.newPage();
  const complaints = [];
  page.on("pageerror", ({ message }) => complaints.push(message));
  try {
    await page.addInitScript((given) => {
      globalThis.options = given;
    }, options);
    await page.goto(url);
    for (const end = Date.now() + PATIENCE; Date.now() < end; ) {
      const answer = await page.evaluate(() => globalThis.answer);
      if (answer) return answer;
      if (complaints.length > 0) throw new Error(complaints[0]);
      await page.waitForTimeout(50);
    }
    throw new Error("the page gives no answer");
  } finally {
    await page.close();
  }
}

const htmlOf = (script, head = "") =>
  `<!doctype html><title>octette</title>${head}<script type="module" src="${script}"></script>`;

/** Serves a folder with a page that runs a script, and returns what the page answers. */
async function answerIn(served, script, { head, headers, options } = {}) {
  const server = await serve(served, { "/index.html": htmlOf(script, head) }, headers);
  try {
    return await answerAt(`${server.origin}/`, options);
  } finally {
    server.close();
  }
}

/** Where the files of the package are served. */
const files = {
  octette: "/node_modules/octette/build/index.js",
  "octette/runtime": "/node_modules/octette/build/runtime.js",
  "octette/quantize-language": "/node_modules/octette/build/quantize-language.js",
  "octette/text": "/node_modules/octette/build/text.js",
  "octette/learner": "/node_modules/octette/build/learner.js",
  "octette/pictures": "/node_modules/octette/build/pictures.js",
  "octette/sound": "/node_modules/octette/build/sound.js",
};
const importMap = `<script type="importmap">${JSON.stringify({ imports: files })}</script>`;

/** A folder of the programs with the package in it. */
function placeWithPackage(name) {
  const place = placeFor(name);
  cpSync(join(folder, "node_modules/octette"), join(place, "node_modules/octette"), { recursive: true });
  return place;
}

/** The same, whose programs import the package's files. */
function placeOfFiles(name) {
  const place = placeWithPackage(name);
  const path = join(place, "octette.js");
  const text = readFileSync(path, "utf8");
  writeFileSync(
    path,
    text.replaceAll(/from "(octette.*)"/g, (_, entry) => `from "${files[entry]}"`),
  );
  return place;
}

const plain = [
  { name: "script tag", ask: (name) => answerIn(placeOfFiles(name), "/page.js") },
  { name: "import map", ask: (name) => answerIn(placeWithPackage(name), "/page.js", { head: importMap }) },
  { name: "module Worker", ask: (name) => answerIn(placeOfFiles(name), "/starts-worker.js") },
  { name: "strict policy", ask: (name) => answerIn(placeOfFiles(name), "/page.js", { headers: STRICT }) },
  {
    name: "policy without wasm",
    refusal: /^OctetteError: wasm\.\w+: the module does not compile: .*'wasm-unsafe-eval'/,
    ask: (name) => answerIn(placeOfFiles(name), "/page.js", { headers: policy("'self'") }),
  },
];

/** Bundles the page with esbuild into a folder beside the model. */
async function withEsbuild(name, options = {}) {
  const place = placeFor(name);
  const { build } = await import(join(await toolsOf("esbuild"), "esbuild/lib/main.js"));
  await build({
    absWorkingDir: place,
    entryPoints: ["page.js"],
    outfile: join(place, "out.js"),
    bundle: true,
    format: "esm",
    logLevel: "error",
    ...options,
  });
  return place;
}

const esbuild = [
  // Its one script has no worker of a learner beside it.
  { name: "esbuild", isAlone: true, ask: async (name) => answerIn(await withEsbuild(name), "/out.js") },
  {
    name: "esbuild, iife, minified",
    isAlone: true,
    ask: async (name) => answerIn(await withEsbuild(name, { format: "iife", minify: true }), "/out.js"),
  },
  {
    name: "esbuild, strict policy",
    isAlone: true,
    only: { threads: 1, reason: /octette\/worker\.js.*\{ worker/ },
    ask: async (name) => answerIn(await withEsbuild(name), "/out.js", { headers: STRICT }),
  },
  {
    name: "esbuild, strict policy, { worker }",
    async ask(name) {
      const place = await withEsbuild(name);
      const { exports } = JSON.parse(readFileSync(join(folder, "node_modules/octette/package.json"), "utf8"));
      cpSync(join(folder, "node_modules/octette", exports["./worker.js"].default), join(place, "threads.js"));
      cpSync(
        join(folder, "node_modules/octette", exports["./learner-worker.js"].default),
        join(place, "learner.js"),
      );
      const options = { worker: "/threads.js", learnerWorker: "/learner.js" };
      return answerIn(place, "/out.js", { headers: STRICT, options });
    },
  },
];

const rollup = {
  name: "Rollup, node-resolve",
  isAlone: true,
  async ask(name) {
    const place = placeFor(name);
    const tools = await toolsOf("rollup");
    const { rollup } = await import(join(tools, "rollup/dist/es/rollup.js"));
    const { nodeResolve } = await import(join(tools, "@rollup/plugin-node-resolve/dist/es/index.js"));
    const bundle = await rollup({ input: join(place, "page.js"), plugins: [nodeResolve()] });
    await bundle.write({ dir: join(place, "out"), format: "es" });
    return answerIn(place, "/out/page.js");
  },
};

const webpack = {
  name: "webpack 5",
  async ask(name) {
    const place = placeFor(name);
    const { default: webpack } = await import(join(await toolsOf("webpack"), "webpack/lib/index.js"));
    const output = { path: join(place, "out") };
    await new Promise((resolve, reject) =>
      webpack({ mode: "production", context: place, entry: "./page.js", output }, (error, stats) => {
        if (error || stats.hasErrors()) reject(error ?? new Error(stats.toString("errors-only")));
        else resolve();
      }),
    );
    return answerIn(place, "/out/main.js");
  },
};

/** A project of Vite, and its functions. */
async function viteProject(version, name) {
  const place = placeWithPackage(name);
  writeFileSync(join(place, "index.html"), htmlOf("/page.js"));
  for (const file of inputs) cpSync(join(folder, file), join(place, "public", file), { recursive: true });
  const vite = await import(join(await toolsOf(`vite${version}`), "vite/dist/node/index.js"));
  return { place, vite };
}

/** What a page answers from a development server of Vite. */
async function developed(version, name, headers) {
  const { place, vite } = await viteProject(version, name);
  const server = await vite.createServer({
    root: place,
    logLevel: "error",
    server: { host: "127.0.0.1", headers: { ...isolation, ...headers } },
  });
  try {
    await server.listen();
    return await answerAt(server.resolvedUrls.local[0]);
  } finally {
    await server.close();
  }
}

const vite = (version) => [
  { name: `Vite ${version} dev`, ask: (name) => developed(version, name) },
  {
    name: `Vite ${version} dev, strict policy`,
    // Threads have a Blob there, which the policy does not take.
    ...(version < 8 && { only: { threads: 1, reason: /octette\/worker\.js.*\{ worker/ } }),
    ask: (name) => developed(version, name, STRICT),
  },
  {
    name: `Vite ${version} build`,
    async ask(name) {
      const { place, vite } = await viteProject(version, name);
      await vite.build({ root: place, logLevel: "error" });
      const server = await serve(join(place, "dist"));
      try {
        return await answerAt(`${server.origin}/`);
      } finally {
        server.close();
      }
    },
  },
];

export const pages = [...plain, ...esbuild, rollup, ...[6, 7, 8].flatMap(vite), webpack];
