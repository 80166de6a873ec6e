// The text of generated tokens: whole characters, up to a stop string.

import { StopStrings } from "./stop-strings";
import type { TokenCodec } from "./token-codec";

/** Tokens before the first that its text may depend on. */
const CONTEXT = 8;

export class GeneratedText {
  readonly #stream: ReturnType<TokenCodec["stream"]> | undefined;
  readonly #stops: StopStrings;

  /** `before`: the tokens that the text follows. Without a codec there is no text. */
  constructor(codec: TokenCodec | undefined, stops: readonly string[], before: readonly number[]) {
    this.#stream = codec?.stream({ skipSpecial: true, after: before.slice(-CONTEXT) });
    this.#stops = new StopStrings(stops);
  }

  /** Whether a stop string was found. */
  get isStopped(): boolean {
    return this.#stops.isFound;
  }

  /** Text that is certain with this token, or, as the last of all, with nothing behind it. */
  push(token: number | undefined, isLast: boolean): string {
    const text = this.#stops.push(token === undefined ? "" : (this.#stream?.push(token) ?? ""));
    if (!isLast || this.isStopped) return text;
    const rest = this.#stops.push(this.#stream?.end() ?? "");
    return text + rest + (this.isStopped ? "" : this.#stops.end());
  }
}
