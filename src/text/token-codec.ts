// What generating text needs of a tokenizer.

/** A message of a conversation, as chat templates take them. */
export interface Message {
  /** Who says it: "system", "user", "assistant", or what else the model's template knows. */
  readonly role: string;
  readonly content: string;
}

/** Text to tokens and back. */
export interface TokenCodec {
  /** Tokens of a text. Control tokens in it stay text; `addSpecialTokens` adds those of a whole text, such as its beginning. */
  encode(text: string, options?: { readonly addSpecialTokens?: boolean }): Int32Array;
  /** Tokens of a conversation, in the form that the model was trained on. */
  encodeChat(
    messages: readonly Message[],
    options?: { readonly addGenerationPrompt?: boolean },
  ): Promise<Int32Array>;
  decode(ids: ArrayLike<number>, options?: { readonly skipSpecial?: boolean }): string;
  /** Text of tokens as they come, never half a character. `after`: tokens before the first. */
  stream(options?: { readonly skipSpecial?: boolean; readonly after?: ArrayLike<number> }): {
    push(id: number): string;
    end(): string;
  };
  /** The token that has a role, such as "eos". */
  specialId(name: string): number | undefined;
  /** Number of ids. */
  readonly vocabulary: number;
}
