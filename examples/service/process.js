// The service as a process of its own, for tests and measurements.

import { fileURLToPath } from "node:url";
import { endOf, startChild } from "./children.js";

const main = fileURLToPath(new URL("main.js", import.meta.url));
/** Milliseconds that the service may take to start or to end. */
const PATIENCE = 60_000;

/** Starts the service; resolves when it is up. */
export async function startService(settings, args = []) {
  const lines = [];
  let tell = () => {};
  const child = startChild(process.execPath, [...args, main], {
    env: { ...process.env, LEARN_AT: "", ...settings },
    onLine: (line) => {
      lines.push(line);
      tell(line);
    },
  });
  await new Promise((resolve, reject) => {
    const fail = (what) => reject(new Error(`the service ${what}: ${lines.join("; ")}`));
    const timer = setTimeout(() => fail("does not start"), PATIENCE);
    child.once("exit", (code) => fail(`ended with ${code}`));
    tell = (line) => {
      if (!line.includes(" is up: ")) return;
      clearTimeout(timer);
      resolve();
    };
  });
  return {
    lines,
    /** Delays of its event loop since the last time, where loop-delay.js is loaded. */
    loop() {
      child.kill("SIGUSR2");
      return new Promise((resolve) => {
        tell = (line) => line.startsWith("loop ") && resolve(JSON.parse(line.slice("loop ".length)));
      });
    },
    kill: (signal = "SIGKILL") => endOf(child, signal, PATIENCE),
  };
}
