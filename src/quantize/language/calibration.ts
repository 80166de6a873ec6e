// Calibration text of a language model: the caller's, or text that the model generates itself.

import { OctetteError } from "../../errors";
import type { TextAssets } from "../../formats/language-source";
import { createTokenizer } from "../../text/tokenizer";
import { writeText } from "./self-text";
import { heldOut, windowsOf } from "./windows";
import type { Work } from "./work";

/** Windows that 4 bits are fitted to: more gain less than another sample of text does. */
const MOST = 40;
/** Windows that the model writes itself, some of them held out: 4,096 tokens are enough. */
const SELF = { 4: 20, 8: 10 } as const;

export interface Calibration {
  /** Windows to quantize by. */
  readonly kept: readonly Int32Array[];
  /** Windows to measure by. */
  readonly held: readonly Int32Array[];
}

/** Ids of a text. Throws OctetteError "argument" where they are no tokens of the model, or there is no tokenizer. */
export async function idsOf(
  text: string | ArrayLike<number>,
  assets: TextAssets,
  vocabulary: number,
  where: string,
): Promise<Int32Array> {
  if (typeof text === "string") {
    const tokenizer = await createTokenizer(assets);
    return tokenizer.encode(text, { addSpecialTokens: false });
  }
  const ids = Int32Array.from(text);
  const wrong = Array.from(text).findIndex((id) => !Number.isInteger(id) || id < 0 || id >= vocabulary);
  if (wrong < 0) return ids;
  throw new OctetteError("a token is not of the vocabulary", {
    code: "argument",
    where,
    expected: `whole numbers from 0 to ${vocabulary - 1}`,
    got: `${text[wrong]} at ${wrong}`,
  });
}

/** Windows of so many tokens of a text, some of them held out. Throws OctetteError "argument" where there are not two tokens. */
export function calibrationOf(ids: Int32Array, tokens: number, where: string): Calibration {
  const windows = windowsOf(ids, tokens, MOST);
  if (windows.length > 0) return heldOut(windows);
  throw new OctetteError("the text is too short", {
    code: "argument",
    where,
    expected: "at least 2 tokens; some thousand are good",
    got: `${ids.length}`,
  });
}

/** Windows that a model writes itself. */
export async function ownCalibration(
  work: Work,
  bits: 4 | 8,
  seed: number,
  onWindow: (done: number, total: number) => Promise<void>,
): Promise<Calibration> {
  const count = SELF[bits];
  let done = 0;
  return heldOut(await writeText(work, count, seed, () => onWindow(++done, count)));
}
