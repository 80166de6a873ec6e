// A thread that tunes lets those that serve go first, where the system has priorities of threads.

import { readdirSync, readFileSync } from "node:fs";
import { getPriority } from "node:os";
import { expect, test } from "vitest";
import { image, learnerOf, quick, workerScript } from "./fixtures";

const LOWEST = 19;
/** Field of the niceness in a stat of a thread; the third follows the name. */
const NICE = 19;

/** How many threads of this process have the lowest priority. */
const countLowest = () =>
  readdirSync("/proc/self/task").filter((thread) => {
    const stat = readFileSync(`/proc/self/task/${thread}/stat`, "utf8");
    return Number(stat.slice(stat.lastIndexOf(")") + 2).split(" ")[NICE - 3]) === LOWEST;
  }).length;

test.runIf(process.platform === "linux" && getPriority() < LOWEST)(
  "one thread has the lowest priority while it tunes, and none when it has",
  async () => {
    using learner = await learnerOf({ worker: workerScript });
    await learner.run({ image });
    const [before, priority] = [countLowest(), getPriority()];
    const counts = new Set<number>();
    await learner.tune({ ...quick, onStep: () => counts.add(countLowest()) });
    expect([...counts]).toEqual([before + 1]);
    expect(getPriority()).toBe(priority);
    await expect.poll(countLowest).toBe(before);
  },
);
