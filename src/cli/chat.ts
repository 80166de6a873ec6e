// octette chat: a conversation in the terminal, streamed.

import { createInterface } from "node:readline/promises";
import { isLimit } from "../engine/limit";
import type { ChatMessage, LanguageSession } from "../text/index";
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
    const model = await loadLanguage(
      path,
      { maxTokens: values.context, threads, maxBytes: values["max-bytes"] },
      context,
    );
    const lines = createInterface({ input: process.stdin });
    const prompt = () => process.stdin.isTTY && process.stderr.write("> ");
    try {
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
      model.dispose();
    }
  },
});

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
