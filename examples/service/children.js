// Processes that end with this one, however it ends.

import { spawn } from "node:child_process";
import { createInterface } from "node:readline";

const running = new Set();
process.once("exit", () => {
  for (const child of running) child.kill("SIGKILL");
});
for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"]) process.once(signal, () => process.exit(1));

/** Starts a program; `onLine` gets what it prints, a line at a time. */
export function startChild(program, args, { env, onLine }) {
  const child = spawn(program, args, { env, stdio: ["ignore", "pipe", "inherit"] });
  running.add(child);
  child.once("exit", () => running.delete(child));
  createInterface({ input: child.stdout }).on("line", onLine);
  return child;
}

/** Resolves when a process has ended; throws after so many milliseconds. */
export async function endOf(child, signal, patience) {
  if (child.exitCode !== null || child.signalCode !== null) return;
  child.kill(signal);
  await new Promise((resolve, reject) => {
    const timer = setTimeout(
      () => reject(new Error(`${child.spawnfile} does not end by ${signal} in ${patience / 1000} s`)),
      patience,
    );
    child.once("exit", () => {
      clearTimeout(timer);
      resolve();
    });
  });
}
