// A checkpoint: all that a training run needs to go on where it stood, as a safetensors file. Its tensors are the state of
// the steps and the best master weights so far. Its metadata name the model and the position in data and schedule.
// It is read only if every byte is what was written.

import { bytesOf } from "../../engine/source";
import { FormatError, OctetteError } from "../../errors";
import { asWritten, written } from "../../formats/graph-rows";
import { readSealed, type SealKind, writeSealed } from "../../formats/seal";
import type { Tensor } from "../../graph/tensor";

/** Version of what the metadata mean; a reader refuses any other. */
export const CHECKPOINT_VERSION = 2;
const CHECKPOINT: SealKind = {
  format: "octette-checkpoint",
  version: CHECKPOINT_VERSION,
  noun: "octette checkpoint",
  hint: "Name the file that training wrote, or one that is not there to begin anew",
};

/** What JSON can say, and numbers that it cannot: infinities, NaN and −0 come back too. */
export type Json = null | boolean | number | string | readonly Json[] | { readonly [name: string]: Json };

/** The state of training at a step: what `tune` continues from. */
export interface CheckpointState {
  /** Content hash of the artifact that is trained. */
  readonly model: string;
  /** Master weights, state of the optimizer, and the best master weights so far. */
  readonly tensors: ReadonlyMap<string, Tensor>;
  /** Place in the data, random state, step, schedule, best metric, scales of activations, fingerprint of the options. */
  readonly progress: Readonly<Record<string, Json>>;
}

/**
 * Bytes of the state that `tune` gives to `checkpoint.save`, for any place that keeps bytes; `saveCheckpoint` writes them to a file.
 * Equal states give equal bytes. Throws an OctetteError for anything but a CheckpointState, such as one restored from JSON.
 */
export function writeCheckpoint({ model, tensors, progress }: CheckpointState): Uint8Array<ArrayBuffer> {
  const isWhole =
    typeof tensors?.values === "function" &&
    [...tensors.values()].every(({ data }) => ArrayBuffer.isView(data));
  if (!isWhole)
    throw new OctetteError("tensors must be a Map of typed arrays", {
      code: "argument",
      where: "checkpoint",
      hint: "Pass the state as tune() gives it to save(); structuredClone keeps it whole, JSON does not",
    });
  return writeSealed(CHECKPOINT, tensors, {
    model,
    progress: JSON.stringify(progress, (_, value) => written(value)),
  });
}

/**
 * The state that a checkpoint's bytes hold, to go on from: `tune(model, { …, checkpoint: { state, save } })`. Its tensors are views of
 * `bytes`. Throws FormatError where they are damaged, truncated, of another version or something else.
 */
export function readCheckpoint(bytes: Uint8Array | ArrayBuffer, where = "checkpoint"): CheckpointState {
  const { tensors, metadata } = readSealed(bytesOf(bytes), CHECKPOINT, where);
  const { model = "", progress = "" } = metadata;
  if (!/^[0-9a-f]{64}$/.test(model))
    throw new FormatError("it does not say of which model it is", {
      where,
      expected: "a content hash, 64 hexadecimal digits",
      got: JSON.stringify(model.slice(0, 80)),
    });
  return { model, tensors, progress: parseProgress(progress, where) };
}

function parseProgress(json: string, where: string): CheckpointState["progress"] {
  let value: unknown;
  try {
    value = JSON.parse(json, (_, part) => asWritten(part));
  } catch (cause) {
    throw new FormatError(`its progress is not JSON: ${(cause as Error).message}`, { where });
  }
  if (typeof value === "object" && value !== null && !Array.isArray(value))
    return value as CheckpointState["progress"];
  throw new FormatError("its progress is not an object", { where });
}
