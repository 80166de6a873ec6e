// What quantizing a language model is asked for, and what it tells of its work.

import { OctetteError } from "../../errors";
import type { EmbeddingSettings } from "../../formats/language-source";
import { LONG_CALL, type LongCallOptions } from "../../long-call";
import type { Names } from "../../options";
import type { Agreement } from "./agreement";
import type { Similarity } from "./encoder";

/** Options of `quantizeLanguageModel`. */
export interface QuantizeLanguageOptions extends LongCallOptions {
  /**
   * Bits of a layer's weights, 8 or 4; embedding and head have 8. Default: 8, but that codes of 4 bits, which GGUF files have, are kept.
   */
  readonly bits?: 8 | 4 | undefined;
  /** With 4 bits: 8 for layers that lead back from the feed-forward's width, a third less error for a sixth more bytes. Default false. */
  readonly large?: boolean | undefined;
  /** One scale for all of a weight and for all of an activation, no folding: for comparison. Default false. */
  readonly naive?: boolean | undefined;
  /** Keeps keys and values of attention as floats. Default false. */
  readonly floatCache?: boolean | undefined;
  /** Calibration text like the text the model will read, or ids of its tokens. Default: text that the model generates itself. */
  readonly calibration?: string | ArrayLike<number> | undefined;
  /**
   * A text, or ids, on which the report compares it with its source; of encoders each line is a text. Default: a part of the calibration
   * text that was held out; of encoders the calibration text, or random tokens.
   */
  readonly evaluation?: string | ArrayLike<number> | undefined;
  /**
   * Most tokens of a text that the artifact is for, where the rotary embedding depends on that (LongRoPE, dynamic NTK). Default: those that
   * the model was first trained on.
   */
  readonly maxTokens?: number | undefined;
  /** Of encoders, as the option of `loadLanguageModel`. Default: as the folder says. */
  readonly pooling?: EmbeddingSettings["pooling"] | undefined;
  /** Of the text that the model writes itself; default 0. */
  readonly seed?: number | undefined;
  /** Threads of the models that are run; default as many as there are cores, at most 4. The result is the same. */
  readonly threads?: number | undefined;
  /** Path of the artifact, where there are files: it is written tensor by tensor. Default: its bytes are returned. */
  readonly output?: string | undefined;
}

/** Names of the options. */
export const OPTIONS = {
  ...LONG_CALL,
  bits: 1,
  large: 1,
  naive: 1,
  floatCache: 1,
  calibration: 1,
  evaluation: 1,
  maxTokens: 1,
  pooling: 1,
  seed: 1,
  threads: 1,
  output: 1,
} satisfies Names<QuantizeLanguageOptions>;

/** What was done. */
export interface QuantizeLanguageSummary {
  readonly bits: 4 | 8;
  /** Weights by the bits of their codes, and the kind of their groups. */
  readonly weights: readonly {
    readonly name: string;
    readonly shape: readonly number[];
    readonly bits: 4 | 8;
  }[];
  /** α by which norms were folded; absent where none was. */
  readonly foldedBy?: number;
  /** Tokens that it was calibrated by. */
  readonly calibrationTokens: number;
  /** Of a decoder: tokens of a window of text, 256, or fewer where its table of positions has fewer. */
  readonly windowTokens?: number;
  /** Of a decoder: how far it is from its source on text it was not calibrated by. */
  readonly agreement?: Agreement;
  /** For an encoder: how near its results are to the float encoder's. */
  readonly similarity?: Similarity;
  /** Whether that text is the calibration text itself, because it was too short to hold a part back. */
  readonly isOnCalibrationText: boolean;
}

/** What `quantizeLanguageModel` gives. */
export interface QuantizedLanguageModel {
  /** The artifact; absent where it was written to `output`. */
  readonly bytes?: Uint8Array;
  readonly contentHash: string;
  /** Bytes of the artifact. */
  readonly size: number;
  readonly summary: QuantizeLanguageSummary;
}

/** Throws OctetteError "argument" where options exclude each other. */
export function checkRecipe(bits: unknown, large: boolean, naive: boolean): void {
  const fail = (what: string, expected: string, got: string) =>
    new OctetteError(what, { code: "argument", where: "quantizeLanguageModel", expected, got });
  if (bits !== 8 && bits !== 4) throw fail("no such number of bits", "8 or 4", `${bits}`);
  if (large && bits === 8) throw fail("large is of 4 bits", "bits: 4", "bits: 8");
  if (naive && bits === 4) throw fail("naive is of 8 bits", "bits: 8", "bits: 4");
}
