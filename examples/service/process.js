// The service as a process of its own, for tests and measurements.

import { spawn } from "node:child_process";
import { once } from "node:events";
import { fileURLToPath } from "node:url";

const main = fileURLToPath(new URL("main.js", import.meta.url));

/** Starts the service; resolves when it is up. */
export async function startService(settings, args = []) {
  const child = spawn(process.execPath, [...args, main], {
    env: { ...process.env, LEARN_AT: "", ...settings },
    stdio: ["ignore", "pipe", "inherit"],
  });
  const lines = [];
  await new Promise((resolve, reject) => {
    child.once("exit", (code) => reject(new Error(`the service ended with ${code}: ${lines.join("; ")}`)));
    child.stdout.on("data", (data) => {
      lines.push(...`${data}`.trim().split("\n"));
      if (lines.some((line) => line.includes(" is up: "))) resolve();
    });
  });
  return {
    lines,
    /** Delays of its event loop since the last time, where loop-delay.js is loaded. */
    async loop() {
      const before = lines.length;
      child.kill("SIGUSR2");
      for (;;) {
        const line = lines.slice(before).find((one) => one.startsWith("loop "));
        if (line) return JSON.parse(line.slice("loop ".length));
        await new Promise((resolve) => setTimeout(resolve, 10));
      }
    },
    async kill(signal = "SIGKILL") {
      const ended = once(child, "exit");
      child.kill(signal);
      await ended;
    },
  };
}
