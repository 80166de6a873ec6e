// octette generate: continues a prompt, streamed.

import type { Prompt } from "../text/index";
import { defineCommand } from "./command";
import {
  LOADING,
  loadLanguage,
  MODEL_HELP,
  noteLanguageThreads,
  SAMPLING_OPTIONS,
  samplingIn,
} from "./language";
import { text, UsageError } from "./options";
import { formatRate } from "./terminal";

export const generateCommand = defineCommand({
  name: "generate",
  summary: "generate text with a language model",
  arguments: "MODEL --prompt TEXT | --chat TEXT | --ids 1,2,3 [options]",
  positionals: ["MODEL"],
  options: {
    prompt: text("TEXT", "the text to continue"),
    chat: text("TEXT", "a message to answer, in the form that the model was trained on"),
    system: text("TEXT", "with --chat: what the model is told before it"),
    ids: {
      ...text("LIST", "tokens to continue, such as 1,2,3; ends of text do not end it"),
      parse: idsIn,
    },
    ...SAMPLING_OPTIONS,
    ...LOADING,
  },
  notes: [
    MODEL_HELP,
    "The same seed gives the same text on every engine. --ids works without a tokenizer; tokens are printed then.",
    "In JSON: tokens, text, reason (length, stop token or stop text) and promptTokens.",
  ],
  examples: [
    'octette generate model.octette --prompt "Once upon a time" --temperature 0.8 --top-p 0.95',
    "octette generate model.gguf --ids 1,2,3 --max-tokens 16 --temperature 0 --json",
  ],
  async run([path = ""], values, context) {
    const { prompt, chat, system, ids, threads } = values;
    const given = [prompt, chat, ids].filter((one) => one !== undefined);
    if (given.length !== 1)
      throw new UsageError("one of --prompt, --chat and --ids is needed. See: octette generate --help");
    if (system !== undefined && chat === undefined) throw new UsageError("--system needs --chat");
    const start: Prompt =
      chat === undefined
        ? (ids ?? prompt!)
        : [
            ...(system === undefined ? [] : [{ role: "system", content: system }]),
            { role: "user", content: chat },
          ];
    const model = await loadLanguage(
      path,
      { maxTokens: values.context, threads, maxBytes: values["max-bytes"] },
      context,
    );
    try {
      using session = model.session();
      const options = { ...samplingIn(values), signal: context.signal };
      const generation = session.generate(start, options);
      const tokens: number[] = [];
      let whole = "";
      let begin = 0;
      let step = await generation.next();
      for (begin = performance.now(); !step.done; step = await generation.next()) {
        const { token, text: piece } = step.value;
        tokens.push(token);
        whole += piece;
        context.stream(model.hasTokenizer ? piece : `${tokens.length > 1 ? "," : ""}${token}`);
      }
      const seconds = (performance.now() - begin) / 1000;
      context.stream("\n");
      const promptTokens = session.tokens.length - tokens.length;
      const { reason } = step.value;
      // The first came with the prompt.
      const rate = tokens.length > 1 ? `, ${formatRate((tokens.length - 1) / seconds)} tokens/s` : "";
      context.log(`${promptTokens} tokens of prompt, ${tokens.length} generated${rate}; ended by ${reason}`);
      noteLanguageThreads(model, threads, context);
      context.print({ model: path, tokens, text: whole, reason, promptTokens }, () => []);
    } finally {
      model.dispose();
    }
  },
});

function idsIn(list: string): number[] {
  const ids = list.split(",").map((id) => (/^\s*\d+\s*$/.test(id) ? Number(id) : NaN));
  if (ids.some(Number.isNaN)) throw new UsageError(`--ids must be tokens such as 1,2,3, got "${list}"`);
  return ids;
}
