// The page that generates text, and its worker. No inline script and no style: it runs under the policy it states.

import { pageOf } from "./page";

const CONTENT = `    <form>
      <textarea name="prompt" rows="4" cols="60">Once upon a time</textarea>
      <p>
        <label>temperature <input name="temperature" type="number" min="0" step="0.1" value="0.8" /></label>
        <label>tokens <input name="maxTokens" type="number" min="1" value="100" /></label>
        <label>seed <input name="seed" type="number" min="0" value="0" /></label>
        <button disabled>generate</button>
        <button type="button" id="stop" disabled>stop</button>
      </p>
    </form>
    <output id="answer"></output>
    <p id="state">loading</p>`;

export const languageHtml = (model: string) => pageOf(model, "worker-src 'self'; ", CONTENT);

export const page = `// Shows what the worker generates, as it comes.

const worker = new Worker(new URL("./worker.js", import.meta.url), { type: "module" });
const form = document.querySelector("form");
const [start, stop] = document.querySelectorAll("button");
const answer = document.querySelector("#answer");
const state = document.querySelector("#state");
document.querySelector("p").remove();

const free = (isFree) => {
  start.disabled = !isFree;
  stop.disabled = isFree;
};

worker.onmessage = ({ data: { kind, ...told } }) => {
  if (kind === "loading") state.textContent = \`loading \${told.percent} %\`;
  if (kind === "text") answer.append(told.text);
  if (kind === "done" || kind === "failed") {
    state.textContent = told.message;
    free(kind === "done" || told.isLoaded);
  }
};
worker.onerror = ({ message }) => (state.textContent = message || "the worker could not be loaded");

form.onsubmit = (event) => {
  event.preventDefault();
  const { prompt, temperature, maxTokens, seed } = Object.fromEntries(new FormData(form));
  answer.replaceChildren(prompt);
  state.textContent = "generating";
  free(false);
  const options = { temperature: Number(temperature), maxTokens: Number(maxTokens), seed: Number(seed) };
  worker.postMessage({ kind: "generate", prompt, options });
};
stop.onclick = () => worker.postMessage({ kind: "stop" });
`;

export const worker = (model: string) => `// Loads the model and generates, so that the page stays free.

import { loadLanguageModel } from "./text.js";

const tell = (kind, told = {}) => postMessage({ kind, ...told });
const percent = ({ done, total }) => tell("loading", { percent: total ? Math.floor((100 * done) / total) : done });

let model;
let controller = new AbortController();

try {
  const response = await fetch(${JSON.stringify(`./${model}`)});
  model = await loadLanguageModel(response, { onProgress: percent });
  tell("done", { message: \`\${model.engine.engineClass} kernels\` });
} catch (error) {
  tell("failed", { message: String(error) });
}

async function generate(prompt, options) {
  const session = model.session();
  const begin = performance.now();
  let count = 0;
  let first = begin;
  try {
    for await (const { text } of session.generate(prompt, { ...options, signal: controller.signal })) {
      if (count++ === 0) first = performance.now();
      tell("text", { text });
    }
    const rate = (1000 * (count - 1)) / (performance.now() - first);
    tell("done", { message: \`\${count} tokens, the first after \${Math.round(first - begin)} ms, \${rate.toFixed(1)} a second\` });
  } catch (error) {
    tell("failed", { message: String(error), isLoaded: true });
  } finally {
    session.dispose();
  }
}

onmessage = ({ data }) => {
  controller.abort(new Error("stopped"));
  controller = new AbortController();
  if (data.kind === "generate" && model) void generate(data.prompt, data.options);
};
`;
