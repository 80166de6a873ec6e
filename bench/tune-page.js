// What a step of tuning a small network costs in a page and in Node, the event loop's turns included: `node bench/tune-page.js`
// An MLP of 6 → 16 → 3, batch 8, on made-up samples; the median of 5 runs of `tune`, from the first step to the last.

import { fileURLToPath } from "node:url";
import { formatTable } from "../build/terminal.js";
import { launch, serve } from "../scripts/chromium.js";
import { stepMilliseconds } from "./tune-step.js";

const root = fileURLToPath(new URL("..", import.meta.url));
const server = await serve(root, { "/bench/page.html": "<!doctype html>" });
const browser = await launch();
try {
  const page = await browser.newPage();
  await page.goto(`${server.origin}/bench/page.html`);
  const inPage = await page.evaluate(() =>
    import("/bench/tune-step.js").then(({ stepMilliseconds }) => stepMilliseconds()),
  );
  const rows = [
    [`Chromium ${browser.version().split(".")[0]}, a page`, inPage],
    [`Node ${process.versions.node.split(".")[0]}`, await stepMilliseconds()],
  ].map(([host, milliseconds]) => [host, `${milliseconds.toFixed(3)} ms`]);
  console.log(formatTable(["6 → 16 → 3, batch 8", "a step"], rows, { align: "lr" }));
} finally {
  await browser.close();
  server.close();
}
