// The text of generated tokens: whole characters, up to a stop string.

import { StopStrings } from "./stop-strings";
import type { TextStream } from "./tokenizer/decoding";
import type { TokenTexts } from "./tokenizer/token-texts";

export class GeneratedText {
  readonly #stream: TextStream | undefined;
  readonly #stops: StopStrings;

  /** Without texts of tokens there is no text. */
  constructor(texts: TokenTexts | undefined, stops: readonly string[]) {
    this.#stream = texts?.stream(true, true);
    this.#stops = new StopStrings(stops);
  }

  /** Whether a stop string was found. */
  get isStopped(): boolean {
    return this.#stops.isFound;
  }

  /** Text that is certain with this token, or, with the last of all, all that is left. */
  push(token: number | undefined, isLast: boolean): string {
    const text = this.#stops.push((token !== undefined && this.#stream?.push(token)) || "");
    if (!isLast || this.isStopped) return text;
    const rest = this.#stops.push(this.#stream?.end() ?? "");
    return text + rest + (this.isStopped ? "" : this.#stops.end());
  }
}
