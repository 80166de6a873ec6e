// Chat templates: a model's own Jinja template turns messages into its prompt. Templates come with models from anywhere, so a
// template has a budget of evaluations and sees only its own inputs. Loaded with the first chat.

import { OctetteError } from "../../errors";
import { isJsonObject } from "../../formats/json";
import type { TextAssets } from "../../formats/language-source";
import { checkOptions, type Names } from "../../options";
import { templateOf } from "./chat-template";
import { tokenText } from "./json";
import { renderTemplate } from "./template";

/** Longest template, in UTF-16 units. */
export const MAX_TEMPLATE_LENGTH = 2 ** 18;

/** One message of a chat; templates may read further fields. */
export interface ChatMessage {
  /** "system", "user", "assistant", "tool", or another role of the template. */
  readonly role: string;
  /** Its text, or its parts such as { type: "text", text: "…" }. */
  readonly content?: unknown;
  readonly [field: string]: unknown;
}

/** Options of a chat template. */
export interface ChatOptions {
  /** Whether the prompt ends where the model's answer begins. Default true. */
  readonly addGenerationPrompt?: boolean;
  /** Name of the template where tokenizer_config.json has several. Default "default". */
  readonly template?: string;
  /** Descriptions of functions for templates that know tools. Default: none. */
  readonly tools?: readonly unknown[];
  /** Further variables of the template, such as { enable_thinking: false }. Default: none. */
  readonly variables?: Readonly<Record<string, unknown>>;
}

export interface RenderedChat {
  readonly text: string;
  /** Gives a part of `text` its control tokens back that a message had. */
  readonly unmark: (text: string) => string;
}

const ROLES = ["bos", "eos", "unk", "sep", "pad", "cls", "mask"];

/**
 * The prompt of messages. `controls` are the texts of control tokens: where a message has one, something else stands in `text`.
 */
export function renderChat(
  assets: TextAssets,
  messages: readonly ChatMessage[],
  options: ChatOptions,
  controls: readonly string[],
): RenderedChat {
  const names = { addGenerationPrompt: 1, template: 1, tools: 1, variables: 1 } satisfies Names<ChatOptions>;
  checkOptions("chat", options, names);
  checkMessages(messages);
  const template = templateOf(assets, options.template);
  if (template === undefined)
    throw new OctetteError("the model has no chat template", {
      code: "unsupported",
      expected: options.template === undefined ? "chat_template.jinja" : `a template "${options.template}"`,
      hint: "Pass a prompt instead of messages",
    });
  if (template.length > MAX_TEMPLATE_LENGTH)
    throw new OctetteError("the chat template is too long", {
      code: "limit",
      expected: `at most MAX_TEMPLATE_LENGTH = ${MAX_TEMPLATE_LENGTH}`,
      got: String(template.length),
    });
  const { addGenerationPrompt = true, tools, variables = {} } = options;
  const found = marked(messages, controls);
  const config = assets.tokenizerConfig ?? {};
  const tokens = ROLES.map((role) => [`${role}_token`, tokenText(config[`${role}_token`])] as const);
  const text = renderTemplate(template, {
    ...Object.fromEntries(tokens.filter(([, text]) => text !== undefined)),
    messages: found.messages,
    add_generation_prompt: addGenerationPrompt,
    ...(tools ? { tools } : {}),
    ...variables,
  });
  return { text, unmark: found.unmark };
}

function checkMessages(messages: readonly ChatMessage[]): void {
  const fail = (where: string, expected: string, got: unknown): never => {
    throw new OctetteError("not a chat", { code: "argument", where, expected, got: describe(got) });
  };
  if (!Array.isArray(messages) || messages.length === 0)
    fail("messages", "a list of messages, one at least", messages);
  messages.forEach((message, i) => {
    if (!isJsonObject(message)) fail(`messages[${i}]`, '{ role: "user", content: "…" }', message);
    if (typeof message.role !== "string") fail(`messages[${i}].role`, '"user", "assistant" …', message.role);
    const { content } = message;
    const isContent =
      content === undefined || content === null || typeof content === "string" || Array.isArray(content);
    if (!isContent) fail(`messages[${i}].content`, "a text or a list of parts", content);
  });
}

const describe = (value: unknown): string =>
  Array.isArray(value)
    ? `a list of ${value.length}`
    : typeof value === "string"
      ? JSON.stringify(value)
      : String(value);

/** Characters that are none in Unicode: a pair of one of them stands for a control token in a message. */
const MARKS = Array.from({ length: 32 }, (_, i) => String.fromCharCode(0xfdd0 + i));

/** Messages in whose texts no control token can be found, and what turns text made of them back. */
function marked(
  messages: readonly ChatMessage[],
  controls: readonly string[],
): { messages: readonly unknown[]; unmark: (text: string) => string } {
  const present = controls.filter((control) => includes(messages, control));
  if (present.length === 0) return { messages, unmark: (text) => text };
  const mark = MARKS.find((mark) => !includes(messages, mark));
  if (mark === undefined)
    throw new OctetteError("messages hold every noncharacter of Unicode from U+FDD0 to U+FDEF", {
      code: "argument",
      where: "messages",
      hint: "Take them out",
    });
  present.sort((a, b) => b.length - a.length);
  const found = new RegExp(present.map((text) => text.replace(/[.*+?^${}()|[\]\\]/g, "\\$&")).join("|"), "g");
  const apart = (text: string) => text.replace(found, (control) => mark + present.indexOf(control) + mark);
  const walk = (value: unknown): unknown =>
    typeof value === "string"
      ? apart(value)
      : Array.isArray(value)
        ? value.map(walk)
        : isJsonObject(value)
          ? Object.fromEntries(Object.entries(value).map(([key, item]) => [key, walk(item)]))
          : value;
  const standing = new RegExp(`${mark}(\\d+)${mark}`, "g");
  return {
    messages: messages.map(walk),
    unmark: (text) => text.replace(standing, (_, index) => present[Number(index)] ?? ""),
  };
}

/** Whether a text anywhere in a value holds `part`. */
const includes = (value: unknown, part: string): boolean =>
  typeof value === "string"
    ? value.includes(part)
    : typeof value === "object" &&
      value !== null &&
      Object.values(value).some((item) => includes(item, part));
