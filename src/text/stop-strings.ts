// Text as it is generated, cut where a stop string begins. What may be the beginning of one is held back until that is known, as
// stop strings straddle tokens.

export class StopStrings {
  readonly #stops: readonly string[];
  #held = "";
  #isFound = false;

  constructor(stops: readonly string[]) {
    this.#stops = stops;
  }

  /** Whether a stop string was found: nothing follows then. */
  get isFound(): boolean {
    return this.#isFound;
  }

  /** Takes the text of a token; returns the text that certainly precedes any stop string. */
  push(text: string): string {
    if (this.#isFound) return "";
    const whole = this.#held + text;
    const found = this.#stops.map((stop) => whole.indexOf(stop)).filter((at) => at >= 0);
    this.#isFound = found.length > 0;
    const end = this.#isFound ? Math.min(...found) : whole.length - this.#startedIn(whole);
    this.#held = this.#isFound ? "" : whole.slice(end);
    return whole.slice(0, end);
  }

  /** What is still held back, at the end of the text. */
  end(): string {
    const held = this.#held;
    this.#held = "";
    return held;
  }

  /** Letters at the end of a text that are the beginning of a stop string. */
  #startedIn(text: string): number {
    const longest = Math.max(0, ...this.#stops.map((stop) => stop.length - 1));
    for (let count = Math.min(longest, text.length); count > 0; count--)
      if (this.#stops.some((stop) => stop.length > count && stop.startsWith(text.slice(-count))))
        return count;
    return 0;
  }
}
