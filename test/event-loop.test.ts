// Long work and the event loop: others get their turn by time, not by step, with and without setImmediate.

import { afterEach, describe, expect, test, vi } from "vitest";
import { givingWay, WORK_MS } from "../src/event-loop";

/** How long the work of a test is, in milliseconds: many times what goes on without a turn. */
const LONG_MS = 25 * WORK_MS;

const busyFor = (milliseconds: number) => {
  for (const end = performance.now() + milliseconds; performance.now() < end; );
};

const hosts: Record<string, () => void> = {
  "as it is": () => {},
  "without setImmediate": () => vi.stubGlobal("setImmediate", undefined),
};

afterEach(() => vi.unstubAllGlobals());

for (const [host, prepare] of Object.entries(hosts))
  describe(`this host, ${host}`, () => {
    test("long work lets a timer run", async () => {
      prepare();
      const giveWay = givingWay(undefined);
      let hasRun = false;
      setTimeout(() => (hasRun = true), 0);
      for (const end = performance.now() + LONG_MS; performance.now() < end && !hasRun; await giveWay())
        busyFor(1);
      expect(hasRun).toBe(true);
    });

    test("an abort is seen while work goes on", async () => {
      prepare();
      const controller = new AbortController();
      const giveWay = givingWay(controller.signal);
      setTimeout(() => controller.abort(new Error("enough")), 0);
      const work = async () => {
        for (let step = 0; step < 100 * WORK_MS; step++) {
          busyFor(1);
          await giveWay();
        }
      };
      await expect(work()).rejects.toThrow("enough");
    });

    test("short steps do not wait for turns", async () => {
      prepare();
      let turns = 0;
      const counted = <T extends (...args: never[]) => unknown>(turn: T) =>
        ((...args) => {
          turns++;
          return turn(...args);
        }) as T;
      if (typeof setImmediate === "function") vi.stubGlobal("setImmediate", counted(setImmediate));
      class Counted extends MessageChannel {
        constructor() {
          super();
          turns++;
        }
      }
      vi.stubGlobal("MessageChannel", Counted);
      vi.stubGlobal("setTimeout", () => expect.unreachable("pages put timers off"));
      const giveWay = givingWay(undefined);
      const start = performance.now();
      for (let step = 0; step < 20_000; step++) await giveWay();
      expect(turns).toBeLessThanOrEqual((performance.now() - start) / WORK_MS);
      busyFor(WORK_MS);
      await giveWay();
      expect(turns).toBeGreaterThan(0);
    });
  });

test("what was aborted before throws at once", async () => {
  await expect(givingWay(AbortSignal.abort(new Error("enough")))()).rejects.toThrow("enough");
});

test("a turn leaves no channel open, which would keep a process alive", async () => {
  vi.stubGlobal("setImmediate", undefined);
  const ports: MessagePort[] = [];
  class Noted extends MessageChannel {
    constructor() {
      super();
      ports.push(this.port1);
      vi.spyOn(this.port1, "close");
    }
  }
  vi.stubGlobal("MessageChannel", Noted);
  const giveWay = givingWay(undefined);
  busyFor(WORK_MS);
  await giveWay();
  expect(ports.map(({ close }) => vi.mocked(close).mock.calls.length)).toEqual([1]);
});
