// The worker of a language model's page: loads the model and generates, so that the page stays free.

import type { LanguageModel } from "../../text/index";
import type { LanguageNews, LanguageOrder, PromptOptions } from "./language-talk";
import { loadLanguageModel } from "./text.js";

const tell = (told: LanguageNews) => postMessage(told);

let model: LanguageModel | undefined;
let controller = new AbortController();

async function open(name: string): Promise<void> {
  try {
    const response = await fetch(new URL(`./${encodeURIComponent(name)}`, import.meta.url));
    model = await loadLanguageModel(response, {
      onProgress: ({ done, total }) =>
        tell({ kind: "loading", percent: total ? Math.floor((100 * done) / total) : done }),
    });
    tell({ kind: "done", message: `${model.engine.engineClass} kernels` });
  } catch (error) {
    tell({ kind: "failed", message: String(error), isLoaded: false });
  }
}

async function generate(prompt: string, options: PromptOptions): Promise<void> {
  const session = model!.session();
  const begin = performance.now();
  let count = 0;
  let first = begin;
  try {
    for await (const { text } of session.generate(prompt, { ...options, signal: controller.signal })) {
      if (count++ === 0) first = performance.now();
      tell({ kind: "text", text });
    }
    const rate = (1000 * (count - 1)) / (performance.now() - first);
    const message = `${count} tokens, the first after ${Math.round(first - begin)} ms, ${rate.toFixed(1)} a second`;
    tell({ kind: "done", message });
  } catch (error) {
    tell({ kind: "failed", message: String(error), isLoaded: true });
  } finally {
    session.dispose();
  }
}

self.onmessage = ({ data }: MessageEvent<LanguageOrder>) => {
  if (data.kind === "open") return void open(data.model);
  controller.abort(new Error("stopped"));
  controller = new AbortController();
  if (data.kind === "generate" && model) void generate(data.prompt, data.options);
};
