// Firefox, without a window: a page of the repository finds the answers and sends them back.

import { execFile } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, rmSync } from "node:fs";
import { readFile } from "node:fs/promises";
import { createServer } from "node:http";
import { tmpdir } from "node:os";
import { extname, join } from "node:path";
import { ANSWERS, root } from "./places.js";

/** Longest that it may take, in milliseconds. */
const PATIENCE = 300_000;

const contentTypes = { ".js": "text/javascript", ".html": "text/html" };

/** Serves the repository to a page of Firefox, which sends back what it finds. */
async function ask(artifacts) {
  const profile = mkdtempSync(join(tmpdir(), "octette-firefox-"));
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
  const url = `http://127.0.0.1:${server.address().port}/${ANSWERS.page}?${query}`;
  const browser = execFile("firefox-esr", ["--headless", "--no-remote", "--profile", profile, url]);
  try {
    const failed = once(browser, "error").then(([error]) => Promise.reject(error));
    const late = new Promise((_, reject) =>
      setTimeout(() => reject(new Error("no answer in time")), PATIENCE).unref(),
    );
    return await Promise.race([answered, failed, late]);
  } finally {
    browser.kill();
    server.close();
    server.closeAllConnections();
    if (browser.exitCode === null && browser.pid) await once(browser, "exit");
    rmSync(profile, { recursive: true, force: true });
  }
}

export const firefox = { name: "Firefox", ask };
