// Loaded before the service to measure its event loop: SIGUSR2 prints the delays since the last one.

import { monitorEventLoopDelay } from "node:perf_hooks";

const delays = monitorEventLoopDelay({ resolution: 1 });
delays.enable();
process.on("SIGUSR2", () => {
  const ms = (ns) => Math.round(ns / 1e4) / 100;
  const [p50, p99] = [50, 99].map((percent) => ms(delays.percentile(percent)));
  console.log(`loop ${JSON.stringify({ p50, p99, max: ms(delays.max) })}`);
  delays.reset();
});
