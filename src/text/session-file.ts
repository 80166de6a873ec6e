// A session as bytes: a sealed safetensors file with its tokens, what their model has kept of them, and the hashes of model and
// tokenizer. What a model computes is the same on every device, so a session goes on wherever its model is.

import { FormatError } from "../errors";
import { readSealed, type SealKind, writeSealed } from "../formats/seal";
import type { Tensor } from "../graph/tensor";

const SESSION: SealKind = {
  format: "octette-session",
  version: 1,
  noun: "octette session",
  hint: "Make one with session.save()",
};

const TOKENS = "tokens";
const LOGITS = "logits";
const STATE = "state.";

/** What there is of a session beside its model. */
export interface SavedSession {
  readonly tokens: Int32Array;
  /** Tokens that the cache is of: all, or all but the last. */
  readonly position: number;
  /** Of what follows the last token, where the cache has it. */
  readonly logits: Float32Array | undefined;
  readonly states: ReadonlyMap<string, Tensor>;
}

/** What a session must match to go on. */
export interface SessionHashes {
  readonly model: string;
  readonly tokenizer: string;
}

export function writeSession(session: SavedSession, hashes: SessionHashes): Uint8Array<ArrayBuffer> {
  const { tokens, position, logits, states } = session;
  const tensors = new Map<string, Tensor>([[TOKENS, { dtype: "i32", shape: [tokens.length], data: tokens }]]);
  if (logits) tensors.set(LOGITS, { dtype: "f32", shape: [logits.length], data: logits });
  for (const [name, state] of states) tensors.set(STATE + name, state);
  return writeSealed(SESSION, tensors, {
    position: `${position}`,
    model_hash: hashes.model,
    tokenizer_hash: hashes.tokenizer,
  });
}

/** Reads what `writeSession` wrote. Throws FormatError where it is damaged, or of another model or tokenizer. */
export function readSession(bytes: Uint8Array, hashes: SessionHashes, where: string): SavedSession {
  const { tensors, metadata } = readSealed(bytes, SESSION, where);
  for (const [noun, stated, own] of [
    ["model", metadata.model_hash, hashes.model],
    ["tokenizer", metadata.tokenizer_hash, hashes.tokenizer],
  ])
    if (stated !== own)
      throw new FormatError(`the session is of another ${noun}`, {
        where,
        expected: `hash ${own || "none"}`,
        got: stated || "none",
        hint: "Restore it with the model that saved it",
      });
  const position = Number(metadata.position);
  const tokens = tensors.get(TOKENS);
  const logits = tensors.get(LOGITS);
  const isWhole =
    tokens?.dtype === "i32" &&
    tokens.shape.length === 1 &&
    (!logits || logits.dtype === "f32") &&
    Number.isSafeInteger(position) &&
    position >= 0 &&
    position <= tokens.data.length;
  if (!isWhole) throw new FormatError("the session is damaged", { where });
  const states = [...tensors].flatMap(([name, tensor]) =>
    name.startsWith(STATE) ? [[name.slice(STATE.length), tensor] as const] : [],
  );
  return {
    tokens: tokens.data as Int32Array,
    position,
    logits: logits?.data as Float32Array | undefined,
    states: new Map(states),
  };
}
