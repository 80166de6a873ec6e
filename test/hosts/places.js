// Where what the hosts need lies: the package as it is packed and installed, and tools of npm at the versions that are run.

import { execFile } from "node:child_process";
import { cpSync, existsSync, mkdirSync, readFileSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";

export const root = fileURLToPath(new URL("../../", import.meta.url));
/** All that is fetched and made. */
export const folder = join(root, "build/hosts");
/** Files in there that the programs read. */
export const inputs = ["model.octette", "language.octette", "language.gguf", "digits.onnx"];
/** Programs that run in hosts. */
export const app = fileURLToPath(new URL("app/", import.meta.url));

const { arch } = process;
const node = (version) => ({ [`node-linux-${arch}`]: version });

/** What each tool is installed from; all of it is pinned, what it depends on aside. */
const tools = {
  node20: node("20.20.2"),
  node22: node("22.23.5"),
  node24: node("24.22.3"),
  node26: node("26.12.1"),
  bun: { [`@oven/bun-linux-${arch === "arm64" ? "aarch64" : arch}`]: "1.4.5" },
  deno: { [`@deno/linux-${arch}-glibc`]: "2.9.6" },
  typescript54: { typescript: "5.4.3" },
  typescript: { typescript: "7.0.2" },
  esbuild: { esbuild: "0.28.2" },
  rollup: { rollup: "4.68.8", "@rollup/plugin-node-resolve": "16.0.3" },
  vite6: { vite: "6.4.6" },
  vite7: { vite: "7.3.8" },
  vite8: { vite: "8.4.0" },
  webpack: { webpack: "5.113.0" },
  next: { next: "16.4.6", react: "19.3.1", "react-dom": "19.3.1" },
  publint: { publint: "0.3.25" },
  attw: { "@arethetypeswrong/cli": "0.18.5" },
  workerd: { workerd: "1.20261117.1" },
};

const options = ["--no-audit", "--no-fund", "--no-package-lock", "--silent", "--prefix"];

/** Runs a program to its end and returns what it prints; what it prints is the error where it fails. */
export async function run(command, args, { cwd = folder, env = {} } = {}) {
  const settings = { cwd, env: { ...process.env, ...env }, maxBuffer: 1 << 26, timeout: 300_000 };
  try {
    return (await promisify(execFile)(command, args, settings)).stdout;
  } catch ({ stdout, stderr, message }) {
    throw new Error(stderr || stdout || message);
  }
}

/** Installs packages into a folder that has only these. */
async function install(at, dependencies, ...more) {
  const manifest = JSON.stringify({ private: true, type: "module", dependencies });
  const path = join(at, "package.json");
  if (existsSync(path) && readFileSync(path, "utf8") === manifest) return;
  rmSync(at, { recursive: true, force: true });
  mkdirSync(at, { recursive: true });
  writeFileSync(join(at, "package.json"), JSON.stringify({ ...JSON.parse(manifest), dependencies: {} }));
  const specs = Object.entries(dependencies).map(([name, version]) => `${name}@${version}`);
  await run("npm", ["install", ...options, at, ...specs, ...more], { cwd: at });
  writeFileSync(path, manifest);
}

/** The folder of a tool's packages, fetched where it is not there. */
export async function toolsOf(name) {
  const at = join(folder, "tools", name);
  await install(at, tools[name]);
  return join(at, "node_modules");
}

/** The binary of a tool. */
export const binaryOf = async (name, path) => join(await toolsOf(name), Object.keys(tools[name])[0], path);

const packed = join(folder, "packed");
/** The packed package. */
export const tarball = join(packed, "octette.tgz");

/** Packs the package as it is built and installs it anew, where the programs of hosts find it. */
export async function installPackage() {
  for (const path of ["node_modules", "packed"]) rmSync(join(folder, path), { recursive: true, force: true });
  mkdirSync(packed, { recursive: true });
  const args = ["pack", "--ignore-scripts", "--json", "--pack-destination", packed];
  const [{ filename }] = JSON.parse(await run("npm", args, { cwd: root }));
  renameSync(join(packed, filename), tarball);
  writeFileSync(join(folder, "package.json"), '{ "private": true, "type": "module" }');
  await run("npm", ["install", ...options, folder, "--ignore-scripts", "--offline", "--no-save", tarball]);
}

/** A new folder for a host, with the programs in it. */
export function placeFor(name) {
  const place = join(folder, "rows", name.replaceAll(/[^\w.-]+/g, "-"));
  rmSync(place, { recursive: true, force: true });
  cpSync(app, place, { recursive: true });
  for (const file of inputs) cpSync(join(folder, file), join(place, file));
  return place;
}
