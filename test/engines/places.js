// Where what the engines need lies, and how programs are run there.

import { execFileSync } from "node:child_process";
import { mkdirSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";

export const root = fileURLToPath(new URL("../../", import.meta.url));
/** All that is fetched and made. */
export const folder = join(root, "build/engines");

/** What finds the answers in each kind of engine, from the root. */
export const ANSWERS = {
  node: "test/engines/answers-node.js",
  shell: "test/engines/answers-shell.js",
  page: "test/engines/answers-page.html",
};

/** A folder in there, made where there is none. */
export function within(...parts) {
  const path = join(folder, ...parts);
  mkdirSync(path, { recursive: true });
  return path;
}

/** What a program prints, run in the root. */
export const run = (command, args, options = {}) =>
  execFileSync(command, args, { cwd: root, encoding: "utf8", stdio: ["ignore", "pipe", "pipe"], ...options });
