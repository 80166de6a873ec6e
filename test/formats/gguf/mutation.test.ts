// Folders and GGUF files, changed anywhere: they are read, built and run, or end in octette's own error, soon.

import { beforeAll, describe, expect, test } from "vitest";
import type { Graph } from "../../../src/graph/graph";
import { Random } from "../../../src/graph/random";
import { loadSync, preload } from "../../../src/index";
import {
  isOwn,
  mutatedFolder,
  mutatedGguf,
  openedFolder,
  openedGguf,
  useLanguage,
} from "../../attack/language";

/** Longest that one file may take, in milliseconds of the processor. */
const PATIENCE = 2000;
const ITEMS = 300;

function runs(graph: Graph): void {
  const model = loadSync(graph, {
    engineClass: "baseline",
    maxBytes: 1 << 24,
    maxima: { tokens: 4, rows: 4 },
  });
  try {
    model.runSync({ ids: Int32Array.of(1, 2, 3, 0) }, {}, { position: 0, rows: 4 });
  } finally {
    model.dispose();
  }
}

beforeAll(() => preload());

describe.each([
  ["GGUF files", (random: Random) => openedGguf(mutatedGguf(random))],
  ["folders", (random: Random) => openedFolder(mutatedFolder(random))],
] as const)("changed %s", (_, make) => {
  test("work or are refused", async () => {
    let works = 0;
    for (let i = 0; i < ITEMS; i++) {
      const random = new Random([1, i + 1, 2, Math.imul(i + 1, 0x85ebca6b)]);
      for (let k = 0; k < 8; k++) random.next();
      const open = make(random);
      const { user } = process.cpuUsage();
      try {
        await useLanguage(open, runs);
        works++;
      } catch (error) {
        if (!isOwn(error)) throw Object.assign(error as Error, { item: i });
      }
      expect((process.cpuUsage().user - user) / 1000, `${i}`).toBeLessThan(PATIENCE);
    }
    expect(works).toBeGreaterThan(0);
  });
});
