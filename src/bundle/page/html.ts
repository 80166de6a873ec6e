// The documents of pages: of models, and of language models. No inline script and no style: they run under the policy they state.

import type { PageSettings } from "./settings";

/** A document: its title, what it may load beside its own scripts, styles and data, and what stands below its heading. */
export const documentOf = (title: string, policy: string, content: string) => `<!doctype html>
<html lang="en">
  <head>
    <meta charset="utf-8" />
    <!-- What octette needs of a policy: wasm that compiles, and its own files. -->
    <meta
      http-equiv="Content-Security-Policy"
      content="default-src 'none'; script-src 'self' 'wasm-unsafe-eval'; ${policy}style-src 'self'; img-src 'self'; connect-src 'self'"
    />
    <meta name="viewport" content="width=device-width, initial-scale=1" />
    <meta name="color-scheme" content="light dark" />
    <title>${escaped(title)}</title>
    <link rel="icon" href="icon.svg" />
    <link rel="stylesheet" href="page.css" />
    <script type="module" src="page.js"></script>
  </head>
  <body>
${content}
  </body>
</html>
`;

/** The page of a model. */
export const html = (settings: PageSettings) =>
  documentOf(
    settings.model,
    "worker-src 'self'; ",
    `    <header>
      <h1>${escaped(settings.model.replace(/\.octette$/, ""))}</h1>
      <p id="about">Runs in this page. What you show it stays on this device.</p>
    </header>
    <main data-settings="${escaped(JSON.stringify(settings))}">
      <p id="problem" role="alert"></p>
      <div class="columns">
        <section class="card" aria-labelledby="input-title">
          <h2 id="input-title">Input</h2>
          <div id="inputs"><p>Loading. A page that is opened from disk loads nothing: serve this folder over http.</p></div>
        </section>
        <section class="card" aria-labelledby="output-title">
          <h2 id="output-title">Answer</h2>
          <div id="outputs"><p class="hint">Nothing to answer yet.</p></div>
          <p id="heard" class="heard" role="status"></p>
        </section>
      </div>
      <section class="card" aria-labelledby="learning-title">
        <h2 id="learning-title">Teach it</h2>
        <div id="learning"></div>
      </section>
      <section class="card" aria-labelledby="facts-title">
        <h2 id="facts-title">What it takes</h2>
        <div id="facts"></div>
      </section>
    </main>`,
  );

const escaped = (text: string) =>
  text.replace(/[&<>"]/g, (one) => ({ "&": "&amp;", "<": "&lt;", ">": "&gt;", '"': "&quot;" })[one]!);

/** The page of a language model. */
export const languageHtml = (model: string) =>
  documentOf(
    model,
    "worker-src 'self'; ",
    `    <header>
      <h1>${escaped(model)}</h1>
      <p>Runs in this page. What you write stays on this device.</p>
    </header>
    <main class="card" data-model="${escaped(model)}">
      <p id="served">A page that is opened from disk loads nothing: serve this folder over http.</p>
      <form>
        <label><span>Prompt</span><textarea name="prompt" rows="4">Once upon a time</textarea></label>
        <div class="row">
          <label><span>Temperature</span> <input name="temperature" type="number" min="0" step="0.1" value="0.8" /></label>
          <label><span>Tokens</span> <input name="maxTokens" type="number" min="1" value="100" /></label>
          <label><span>Seed</span> <input name="seed" type="number" min="0" value="0" /></label>
        </div>
        <div class="row">
          <button class="main" disabled>Generate</button>
          <button type="button" id="stop" disabled>Stop</button>
          <span id="state" role="status">loading</span>
        </div>
      </form>
      <output id="answer"></output>
    </main>`,
  );
