// The page of a language model: shows what its worker generates, as it comes.

import type { LanguageNews, LanguageOrder } from "./language-talk";

const worker = new Worker(new URL("./worker.js", import.meta.url), { type: "module" });
const order = (message: LanguageOrder) => worker.postMessage(message);
const form = document.querySelector("form")!;
const [start, stop] = form.querySelectorAll("button");
const answer = document.querySelector("#answer")!;
const state = document.querySelector("#state")!;
document.querySelector("#served")!.remove();

const free = (isFree: boolean) => {
  start!.disabled = !isFree;
  stop!.disabled = isFree;
};

worker.onmessage = ({ data: told }: MessageEvent<LanguageNews>) => {
  if (told.kind === "loading") state.textContent = `loading ${told.percent} %`;
  else if (told.kind === "text") answer.append(told.text);
  else {
    state.textContent = told.message;
    free(told.kind === "done" || told.isLoaded);
  }
};
worker.onerror = ({ message }) => {
  state.textContent = message || "the worker could not be loaded";
};

form.onsubmit = (event) => {
  event.preventDefault();
  const { prompt = "", temperature, maxTokens, seed } = Object.fromEntries(new FormData(form));
  answer.replaceChildren(`${prompt}`);
  state.textContent = "generating";
  free(false);
  const options = { temperature: Number(temperature), maxTokens: Number(maxTokens), seed: Number(seed) };
  order({ kind: "generate", prompt: `${prompt}`, options });
};
stop!.onclick = () => order({ kind: "stop" });
order({ kind: "open", model: document.querySelector("main")!.dataset.model! });
