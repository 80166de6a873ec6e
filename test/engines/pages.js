// Browsers, without a window: a page of the repository finds the answers and sends them back.

import { execFile } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, rmSync } from "node:fs";
import { readFile } from "node:fs/promises";
import { createServer } from "node:http";
import { tmpdir } from "node:os";
import { extname, join } from "node:path";
import { launch } from "../../scripts/chromium.js";
import { ANSWERS, root } from "./places.js";

/** Longest that it may take, in milliseconds. */
const PATIENCE = 300_000;

const contentTypes = { ".js": "text/javascript", ".html": "text/html" };

/** Serves the repository to a page of a browser, which sends back what it finds. `open` shows a page and gives what ends the browser. */
async function askPage(open, artifacts) {
  let found;
  const answered = new Promise((resolve) => (found = resolve));
  const server = createServer(async (request, response) => {
    const { pathname } = new URL(request.url, "http://localhost");
    if (request.method === "POST") {
      const chunks = await request.toArray();
      found(Buffer.concat(chunks).toString());
      return response.end();
    }
    const bytes = await readFile(join(root, decodeURIComponent(pathname))).catch(() => undefined);
    response.writeHead(bytes ? 200 : 404, { "content-type": contentTypes[extname(pathname)] ?? "" });
    response.end(bytes);
  }).listen(0, "127.0.0.1");
  await once(server, "listening");
  const query = new URLSearchParams(artifacts.map((path) => ["artifact", path]));
  let close;
  try {
    close = await open(`http://127.0.0.1:${server.address().port}/${ANSWERS.page}?${query}`);
    const late = new Promise((_, reject) =>
      setTimeout(() => reject(new Error("no answer in time")), PATIENCE).unref(),
    );
    return await Promise.race([answered, late]);
  } finally {
    server.close();
    server.closeAllConnections();
    await close?.();
  }
}

export const chromium = {
  name: "Chromium",
  ask: (artifacts) =>
    askPage(async (url) => {
      const browser = await launch();
      await (await browser.newPage()).goto(url);
      return () => browser.close();
    }, artifacts),
};

export const firefox = {
  name: "Firefox",
  ask: (artifacts) =>
    askPage(async (url) => {
      const profile = mkdtempSync(join(tmpdir(), "octette-firefox-"));
      const browser = execFile("firefox-esr", ["--headless", "--no-remote", "--profile", profile, url]);
      await once(browser, "spawn");
      return async () => {
        browser.kill();
        if (browser.exitCode === null) await once(browser, "exit");
        rmSync(profile, { recursive: true, force: true });
      };
    }, artifacts),
};
