// Runs the built command line as people do, and says what came out.

import { spawn } from "node:child_process";
import { existsSync } from "node:fs";
import { fileURLToPath } from "node:url";

const cli = fileURLToPath(new URL("../../build/cli.js", import.meta.url));
const examples = fileURLToPath(new URL("../../examples/digits/", import.meta.url));

/** A file of examples/digits. */
export const example = (name: string): string => examples + name;

export interface Outcome {
  readonly code: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

/** Runs `octette …args`; `input` is its standard input, `interruptWhen` sends Ctrl-C once standard error matches. */
export function octette(
  args: readonly string[],
  {
    env = {},
    input,
    interruptWhen,
  }: { env?: Record<string, string>; input?: string; interruptWhen?: RegExp } = {},
): Promise<Outcome> {
  if (!existsSync(cli)) throw new Error(`${cli} is missing: run npm run build first`);
  return new Promise((resolve, reject) => {
    const child = spawn(process.execPath, [cli, ...args], { env: { ...process.env, COLUMNS: "", ...env } });
    if (input !== undefined) child.stdin.end(input);
    let stdout = "";
    let stderr = "";
    let interrupted = false;
    child.stdout.on("data", (chunk) => (stdout += chunk));
    child.stderr.on("data", (chunk) => {
      stderr += chunk;
      if (interruptWhen?.test(stderr) && !interrupted) interrupted = child.kill("SIGINT");
    });
    child.on("error", reject);
    child.on("close", (code) => resolve({ code, stdout, stderr }));
  });
}
