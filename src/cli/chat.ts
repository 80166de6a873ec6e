// octette chat: a conversation in the terminal, streamed.

import { createInterface } from "node:readline/promises";
import { isLimit } from "../engine/limit";
import { OctetteError } from "../errors";
import type { ChatMessage, LanguageModel, LanguageSession } from "../text/index";
import { type Context, defineCommand } from "./command";
import {
  LOADING,
  loadLanguage,
  MODEL_HELP,
  noteLanguageThreads,
  SAMPLING_OPTIONS,
  samplingIn,
} from "./language";
import { text } from "./options";

export const chatCommand = defineCommand({
  name: "chat",
  summary: "talk with a language model",
  arguments: "MODEL [--system TEXT] [options]",
  positionals: ["MODEL"],
  options: {
    system: text("TEXT", "what the model is told before the conversation"),
    ...SAMPLING_OPTIONS,
    ...LOADING,
  },
  notes: [
    MODEL_HELP,
    "A line is a message; an empty one, or the end of input, ends the conversation. Where there is no more room, the oldest messages are left out, and that is said. What was said before is kept and not read again.",
    "In JSON, at the end: messages.",
  ],
  examples: ['octette chat model.octette --system "Answer in one sentence." --temperature 0.7'],
  async run([path = ""], values, context) {
    const { system, threads } = values;
    using model = await loadLanguage(
      path,
      { maxTokens: values.context, threads, maxBytes: values["max-bytes"] },
      context,
    );
    // Before lines are taken: those that come while nobody waits for them are lost.
    await checkTemplate(model, path);
    // In a terminal, lines are edited and called back by arrows.
    const isTerminal = process.stdin.isTTY && process.stderr.isTTY;
    const input = { input: process.stdin, prompt: isTerminal ? "> " : "" };
    const lines = createInterface(isTerminal ? { ...input, output: process.stderr } : input);
    const prompt = () => isTerminal && lines.prompt();
    try {
      // Keys are read one by one there, and the terminal itself sends no signal.
      lines.on("SIGINT", () => process.kill(process.pid, "SIGINT"));
      using session = model.session();
      let messages: ChatMessage[] = system === undefined ? [] : [{ role: "system", content: system }];
      context.signal.addEventListener("abort", () => lines.close());
      prompt();
      for await (const line of lines) {
        if (line.trim() === "") break;
        messages.push({ role: "user", content: line });
        messages = await answered(
          session,
          messages,
          { ...samplingIn(values), signal: context.signal },
          context,
        );
        prompt();
      }
      context.signal.throwIfAborted();
      noteLanguageThreads(model, threads, context);
      context.print({ model: path, messages }, () => []);
    } finally {
      lines.close();
    }
  },
});

/** Throws where the model knows no conversations, before anything is typed. */
async function checkTemplate(model: LanguageModel, where: string): Promise<void> {
  if (model.hasTokenizer && (await model.tokenizer()).hasChatTemplate) return;
  throw new OctetteError("the model has no chat template", {
    code: "unsupported",
    where,
    expected: "a template in tokenizer_config.json, or chat_template.jinja beside it",
    hint: "octette generate MODEL --prompt TEXT continues a text",
  });
}

/** The messages with the model's answer, without the oldest ones where there is no room for all. */
async function answered(
  session: LanguageSession,
  messages: readonly ChatMessage[],
  options: Parameters<LanguageSession["generate"]>[1],
  { stream, log }: Context,
): Promise<ChatMessage[]> {
  let kept = [...messages];
  for (;;)
    try {
      let content = "";
      for await (const { text: piece } of session.generate(kept, options)) {
        content += piece;
        stream(piece);
      }
      stream("\n");
      return [...kept, { role: "assistant", content }];
    } catch (error) {
      const oldest = kept[0]?.role === "system" ? 1 : 0;
      if (!isLimit(error) || kept.length - oldest < 3) throw error;
      log("The text is full: the two oldest messages are left out.");
      kept = kept.filter((_, i) => i < oldest || i >= oldest + 2);
    }
}
