// A folder for a page that generates text: an artifact, the scripts of octette/text, and a page whose worker streams what it
// generates. Scripts are those of the package, with all that they import.

import { readFile } from "node:fs/promises";
import { pageFiles } from "./kit";
import { languageHtml } from "./page/html";

/** Where the package's scripts lie: beside this one. */
const scripts = new URL(".", import.meta.url);

/** What a script imports, now or later, by the names of files beside it. */
const importsOf = (code: string): string[] =>
  [...code.matchAll(/(?:from ?|import\(|import ?|new URL\()"\.\/([\w.-]+\.js)"/g)].map(([, name]) => name!);

/** In place of Node's part, which pages do not have. */
const IN_PAGES: Readonly<Record<string, string>> = { "node-module.js": "no-node-module.js" };

/** Contents by name: first what a page loads, then the page that shows it. `model` is the name of the artifact's file. */
export async function bundleLanguage(artifact: Uint8Array, model: string): Promise<Map<string, Uint8Array>> {
  const files = new Map<string, Uint8Array>([[model, artifact]]);
  const wanted = ["text.js"];
  for (const name of wanted) {
    if (files.has(name)) continue;
    const code = await readFile(new URL(IN_PAGES[name] ?? name, scripts));
    files.set(name, code);
    wanted.push(...importsOf(code.toString()));
  }
  const page = await pageFiles({
    "worker.js": "language-worker.js",
    "page.js": "language.js",
    "page.css": "style.css",
    "icon.svg": "icon.svg",
  });
  for (const [name, content] of page) files.set(name, content);
  return files.set("index.html", new TextEncoder().encode(languageHtml(model)));
}
