// A learner in pages of Chromium: in front and hidden, where the browser puts off timers, with workers and where none can be started.

import { once } from "node:events";
import { readFileSync } from "node:fs";
import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { fileURLToPath } from "node:url";
import { type Browser, chromium } from "playwright";
import { afterAll, beforeAll, describe, expect, inject, test } from "vitest";
import { readArtifact, save, tune } from "../../src/index";
import { readExample } from "../examples";
import { calibrated, data, quick } from "./fixtures";

const launch = inject("chromium");

/** What playwright adds so that no page is treated as hidden. */
const AWAKE = [
  "--disable-background-timer-throttling",
  "--disable-backgrounding-occluded-windows",
  "--disable-renderer-backgrounding",
];

const { pace: _, data: __, ...options } = quick;
const STEPS = 18;
/** Rests of four times the work: put off by a second each, they would outlast a test. */
const PACE = { blockMs: 1, share: 0.2 };

/** What a page sends when it has learned. */
interface Answer {
  readonly error?: string;
  readonly visibility: readonly string[];
  readonly hasWorker: boolean;
  readonly steps: number;
  /** Timers that were set while it learned. */
  readonly timers: number;
  readonly artifact: readonly number[];
}

const script = (prepare: string) => `
  import { createDataset, readNpz } from "/build/index.js";
  import { createLearner } from "/build/learner.js";
  const bytes = async (path) => new Uint8Array(await (await fetch(path)).arrayBuffer());
  const send = (answer) => fetch("/answer" + location.search, { method: "POST", body: JSON.stringify(answer) });
  try {
    ${prepare}
    const learner = await createLearner(await bytes("/model"));
    const arrays = readNpz(await bytes("/train.npz"));
    const all = createDataset(arrays, learner.inputs, { labels: arrays.get("labels") });
    const visibility = new Set([document.visibilityState]);
    let [steps, timers] = [0, 0];
    const plain = setTimeout;
    globalThis.setTimeout = (...args) => {
      timers++;
      return plain(...args);
    };
    const { artifact } = await learner.tune({
      ...${JSON.stringify({ ...options, pace: PACE })},
      data: all.take(${data.count}),
      onStep() {
        steps++;
        visibility.add(document.visibilityState);
      },
    });
    const { hasWorker } = learner;
    send({ visibility: [...visibility], hasWorker, steps, timers, artifact: [...artifact] });
  } catch (error) {
    send({ error: error.stack });
  }`;

/** What a page does before it learns, so that it has workers or none. */
const hosts: Record<string, string> = {
  "with workers": "",
  "whose workers are denied": 'globalThis.Worker = class { constructor() { throw new Error("denied"); } };',
  "without workers": "delete globalThis.Worker;",
};

const type = (path: string) => (path.startsWith("/build/") ? "text/javascript" : "text/html");

describe.skipIf(!launch)("a page", () => {
  let browser: Browser;
  let server: Server;
  let expected: Uint8Array;
  let answered: (answer: Answer) => void;

  async function contentAt(path: string, host: string): Promise<string | Uint8Array> {
    if (path === "/model") return calibrated;
    if (path === "/train.npz") return readExample("train.npz");
    if (path.startsWith("/build/"))
      return readFileSync(fileURLToPath(new URL(`../..${path}`, import.meta.url)));
    return `<!doctype html><title>learner</title><script type="module">${script(hosts[host]!)}</script>`;
  }

  beforeAll(async () => {
    expected = save((await tune(readArtifact(calibrated).graph, { ...options, data })).graph);
    server = createServer(async (request, response) => {
      const { pathname, searchParams } = new URL(request.url!, "http://localhost");
      if (request.method === "POST") {
        const parts: Buffer[] = [];
        for await (const part of request) parts.push(part);
        answered(JSON.parse(`${Buffer.concat(parts)}`));
        return response.end();
      }
      response.setHeader("content-type", type(pathname));
      response.end(await contentAt(pathname, searchParams.get("host")!));
    }).listen(0, "127.0.0.1");
    await once(server, "listening");
    browser = await chromium.launch({ ...launch!, ignoreDefaultArgs: AWAKE });
  });
  afterAll(async () => {
    await browser?.close();
    server?.closeAllConnections();
    server?.close();
  });

  /** Opens a page in a tab of the browser's own, which playwright does not keep visible, and returns what it answers. */
  async function answerOf(host: string, isHidden: boolean): Promise<Answer> {
    const answer = new Promise<Answer>((resolve) => {
      answered = resolve;
    });
    const { port } = server.address() as AddressInfo;
    const url = `http://127.0.0.1:${port}/page?${new URLSearchParams({ host })}`;
    const session = await browser.newBrowserCDPSession();
    if (isHidden) await session.send("Target.createTarget", { url: "about:blank" });
    const { targetId } = await session.send("Target.createTarget", { url, background: isHidden });
    try {
      return await answer;
    } finally {
      await session.send("Target.closeTarget", { targetId });
    }
  }

  test.each(Object.keys(hosts))("%s learns hidden as in front, to the same bytes", async (host) => {
    for (const isHidden of [false, true]) {
      const answer = await answerOf(host, isHidden);
      expect(answer.error).toBeUndefined();
      expect(answer).toMatchObject({
        visibility: [isHidden ? "hidden" : "visible"],
        hasWorker: host === "with workers",
        steps: STEPS,
      });
      expect(Uint8Array.from(answer.artifact)).toEqual(expected);
      if (!answer.hasWorker) expect(answer.timers > 0).toBe(!isHidden);
    }
  });
});
