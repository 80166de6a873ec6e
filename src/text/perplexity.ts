// How well a model foretells a text: the mean of what each token costs it, over consecutive windows that know nothing of each other.

import { OctetteError } from "../errors";
import { type GiveWay, givingWay } from "../event-loop";
import { LONG_CALL, type LongCallOptions } from "../long-call";
import { checkOptions, type Names } from "../options";
import { portableExp } from "../portable-math";
import { Cache, type Decoder } from "./decoder";
import type { LanguageModel } from "./language-model";
import { divergenceOf, likeliest, lossOf } from "./row-scores";

/** Options of `perplexity`. */
export interface PerplexityOptions extends LongCallOptions {
  /** Tokens of a window, of which all but the first are scored. Default 256, or as many as the models were loaded for. */
  readonly window?: number | undefined;
  /** Most windows, from the beginning of the text; default all that are whole. */
  readonly windows?: number | undefined;
  /** A model to compare with, usually the float one. Default: none. */
  readonly against?: LanguageModel | undefined;
}

const PERPLEXITY = { ...LONG_CALL, window: 1, windows: 1, against: 1 } satisfies Names<PerplexityOptions>;

/** How well a model predicts a text. */
export interface Perplexity {
  /** e^nats. */
  readonly perplexity: number;
  /** Mean cost of a scored token, in nats. */
  readonly nats: number;
  /** The cost per byte of the scored tokens' text; absent without a tokenizer. */
  readonly natsPerByte?: number;
  /** Mean divergence from the model it is compared with, in nats a token. */
  readonly kld?: number;
  /** Scored positions where both models have the same most likely token, in percent. */
  readonly top1?: number;
  /** Scored tokens. */
  readonly tokens: number;
  readonly windows: number;
}

const DEFAULT_WINDOW = 256;
/** Logits that are computed at once. */
const MAX_LOGITS = 2 ** 22;

/**
 * Perplexity of a model on a text, or on its tokens: consecutive windows, the last one that is not whole left out, and the mean over all
 * tokens but the first of each. No beginning-of-text token is added. Throws an OctetteError where there is not one whole window, or the
 * models have other vocabularies.
 */
export async function perplexity(
  model: LanguageModel,
  text: string | ArrayLike<number>,
  options: PerplexityOptions = {},
): Promise<Perplexity> {
  checkOptions("perplexity", options, PERPLEXITY);
  const { against, signal, onProgress } = options;
  const decoders = [model.decoder, ...(against ? [against.decoder] : [])];
  const tokenizer = model.hasTokenizer || typeof text === "string" ? await model.tokenizer() : undefined;
  const ids =
    typeof text === "string" ? tokenizer!.encode(text, { addSpecialTokens: false }) : Int32Array.from(text);
  const window = options.window ?? Math.min(DEFAULT_WINDOW, ...decoders.map(({ maxTokens }) => maxTokens));
  const windows = checked(ids, window, options.windows, decoders);
  const scores = new Scores(decoders, givingWay(signal));
  let bytes = 0;
  for (let i = 0; i < windows; i++) {
    const own = ids.subarray(i * window, (i + 1) * window);
    await scores.add(own);
    if (tokenizer) bytes += bytesOf(tokenizer, own);
    await onProgress?.({ stage: "perplexity", done: i + 1, total: windows });
  }
  const { tokens, kld, top1 } = scores;
  const nats = scores.nats / tokens;
  return {
    perplexity: portableExp(nats),
    nats,
    ...(tokenizer && { natsPerByte: scores.nats / bytes }),
    ...(against && { kld: kld / tokens, top1: (100 * top1) / tokens }),
    tokens,
    windows,
  };
}

/** Bytes of the text of all tokens of a window but the first. */
function bytesOf(tokenizer: Awaited<ReturnType<LanguageModel["tokenizer"]>>, ids: Int32Array): number {
  const stream = tokenizer.stream({ isContinued: true, skipSpecial: false });
  const lengthOf = (text: string) => new TextEncoder().encode(text).length;
  const known = (id: number) => (id < tokenizer.vocabulary ? stream.push(id) : "");
  known(ids[0]!);
  let bytes = 0;
  for (const id of ids.subarray(1)) bytes += lengthOf(known(id));
  return bytes + lengthOf(stream.end());
}

/** Sums over scored tokens. */
class Scores {
  nats = 0;
  kld = 0;
  top1 = 0;
  tokens = 0;
  readonly #decoders: readonly Decoder[];
  readonly #giveWay: GiveWay;
  readonly #chunk: number;
  readonly #logits: readonly Float32Array[];

  constructor(decoders: readonly Decoder[], giveWay: GiveWay) {
    this.#decoders = decoders;
    this.#giveWay = giveWay;
    const [{ vocabulary } = { vocabulary: 1 }] = decoders;
    this.#chunk = Math.max(
      1,
      Math.min(...decoders.map(({ chunk }) => chunk), Math.floor(MAX_LOGITS / vocabulary)),
    );
    this.#logits = decoders.map(() => new Float32Array(this.#chunk * vocabulary));
  }

  /** Adds the tokens of a window, as if there were no others. */
  async add(ids: Int32Array): Promise<void> {
    const caches = this.#decoders.map(() => new Cache());
    try {
      // Nothing is scored by what follows the last token.
      for (let at = 0; at < ids.length - 1; at += this.#chunk) {
        const part = ids.subarray(at, Math.min(at + this.#chunk, ids.length - 1));
        const logits = this.#decoders.map((decoder, i) => {
          const rows = this.#logits[i]!.subarray(0, part.length * decoder.vocabulary);
          decoder.run(caches[i]!, part, rows);
          return rows;
        });
        for (let row = 0; row < part.length; row++) {
          this.#score(ids[at + row + 1]!, logits, row);
          await this.#giveWay();
        }
      }
    } finally {
      for (const [i, cache] of caches.entries()) this.#decoders[i]!.close(cache);
    }
  }

  #score(token: number, logits: readonly Float32Array[], row: number): void {
    const { vocabulary } = this.#decoders[0]!;
    const [own, reference] = logits.map((all) => all.subarray(row * vocabulary, (row + 1) * vocabulary));
    this.tokens++;
    this.nats += lossOf(own!, token);
    if (!reference) return;
    this.kld += divergenceOf(reference, own!);
    if (likeliest(own!) === likeliest(reference)) this.top1++;
  }
}

/** The number of windows. */
function checked(
  ids: Int32Array,
  window: number,
  most: number | undefined,
  decoders: readonly Decoder[],
): number {
  const fail = (what: string, expected: string, got: unknown) => {
    throw new OctetteError(what, { code: "argument", where: "perplexity", expected, got: `${got}` });
  };
  const [{ vocabulary } = { vocabulary: 0 }, other] = decoders;
  if (other && other.vocabulary !== vocabulary)
    fail("the models have other vocabularies", `${vocabulary} logits`, other.vocabulary);
  const longest = Math.min(...decoders.map(({ maxTokens }) => maxTokens));
  if (!Number.isSafeInteger(window) || window < 2 || window > longest)
    fail(
      "window does not fit",
      `a whole number from 2 to ${longest}, what the models were loaded for`,
      window,
    );
  if (most !== undefined && !(Number.isSafeInteger(most) && most > 0))
    fail("windows does not fit", "a whole number from 1", most);
  const wrong = ids.find((id) => id < 0 || id >= vocabulary);
  if (wrong !== undefined) fail("not a token of the model", `0 to ${vocabulary - 1}`, wrong);
  const whole = Math.floor(ids.length / window);
  if (whole === 0) fail("the text is shorter than a window", `${window} tokens`, ids.length);
  return Math.min(whole, most ?? whole);
}
