// octette perplexity: how well a language model foretells a text, and how far it is from another.

import type { Perplexity } from "../text/index";
import { defineCommand } from "./command";
import { loadLanguage, MODEL_HELP, noteLanguageThreads } from "./language";
import { MAX_BYTES, THREADS, text, UsageError, wholeNumber } from "./options";
import { formatPercent } from "./terminal";
import { idsIn, textIn } from "./texts";

const DEFAULT_WINDOW = 256;

export const perplexityCommand = defineCommand({
  name: "perplexity",
  summary: "measure how well a language model foretells a text",
  arguments: "MODEL --text FILE | --ids FILE.npy [--against FLOAT] [options]",
  positionals: ["MODEL"],
  options: {
    text: { ...text("FILE", "a text to foretell, in UTF-8"), reads: true },
    ids: { ...text("FILE.npy", "its tokens instead: works without a tokenizer"), reads: true },
    window: wholeNumber(2, `tokens of a window (default ${DEFAULT_WINDOW})`),
    windows: wholeNumber(1, "only the first N windows (default: all that are whole)"),
    against: { ...text("MODEL", "a model to compare with, usually the float one"), reads: true },
    threads: THREADS,
    "max-bytes": MAX_BYTES,
  },
  notes: [
    `${MODEL_HELP} Windows follow one another and know nothing of each other; the mean is over all tokens but the first of each. No beginning-of-text token is added.`,
    "In JSON: perplexity, nats (a token), natsPerByte (of text), with --against kld (nats a token) and top1 (agreement in percent), tokens (scored) and windows.",
  ],
  examples: ["octette perplexity model.octette --text held-out.txt --against FOLDER"],
  async run([path = ""], values, context) {
    const { window = DEFAULT_WINDOW, windows, threads, "max-bytes": maxBytes } = values;
    if ((values.text === undefined) === (values.ids === undefined))
      throw new UsageError("one of --text and --ids is needed. See: octette perplexity --help");
    const input = values.ids === undefined ? await textIn(values.text!) : await idsIn(values.ids);
    const load = (from: string) => loadLanguage(from, { maxTokens: window, threads, maxBytes }, context);
    using model = await load(path);
    using against = values.against === undefined ? undefined : await load(values.against);
    const { perplexity } = await import("../text/index");
    const found = await perplexity(model, input, { window, windows, against, ...context.longCall });
    context.progress.end();
    noteLanguageThreads(model, threads, context);
    context.print({ model: path, ...found }, () => context.pairs(rowsOf(found)));
  },
});

const rowsOf = ({ perplexity, nats, natsPerByte, kld, top1, tokens, windows }: Perplexity): string[][] => [
  ["perplexity", perplexity.toFixed(4)],
  ["nats a token", nats.toFixed(5)],
  ...(natsPerByte === undefined ? [] : [["nats a byte", natsPerByte.toFixed(5)]]),
  ...(kld === undefined ? [] : [["KLD", `${kld.toFixed(5)} nats a token`]]),
  ...(top1 === undefined ? [] : [["same top token", formatPercent(top1)]]),
  ["scored", `${tokens} tokens in ${windows} windows`],
];
